// dummy networks: a link that leads nowhere, for addresses that a sandbox has for itself.
import { childLink } from './child-link/child-link.ts'
import type { ChildConfig } from './child-link/options.ts'

export const dummy = childLink<ChildConfig>({
  name: 'dummy',
  on: 'nothing',
  needsUp: false,
  hasMac: false,
  data: () => ({}),
})
