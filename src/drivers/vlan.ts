// vlan networks: one VLAN of a link, for one sandbox.
import { TnetError } from '../errors.ts'
import { childLink } from './child-link/child-link.ts'
import type { ChildConfig } from './child-link/options.ts'

export interface VlanConfig extends ChildConfig {
  readonly vlanId?: number | undefined
}

export const vlan = childLink<VlanConfig>({
  name: 'vlan',
  on: 'a named link',
  needsUp: true,
  hasMac: false,
  data: ({ vlanId }) => (vlanId === undefined ? {} : { id: vlanId }),
  check({ vlanId }) {
    if (vlanId === undefined) {
      throw new TnetError('BAD_CONFIG', 'vlanId: want an integer from 1 to 4094, got nothing')
    }
  },
})
