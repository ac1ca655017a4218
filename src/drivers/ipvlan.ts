// ipvlan networks: a link that shares the MAC address of a link of the host, which tells sandboxes apart by their addresses.
import { childLink } from './child-link/child-link.ts'
import type { ChildConfig } from './child-link/options.ts'

export interface IpvlanConfig extends ChildConfig {
  readonly mode?: 'l2' | 'l3' | 'l3s' | '' | undefined
}

export const ipvlan = childLink<IpvlanConfig>({
  name: 'ipvlan',
  on: 'the default route',
  needsUp: false,
  hasMac: false,
  data: ({ mode }) => ({ mode: mode || 'l2' }),
})
