// macvlan networks: a link with a MAC address of its own on a link of the host.
import { TnetError, unwanted } from '../errors.ts'
import { childLink } from './child-link/child-link.ts'
import type { ChildConfig } from './child-link/options.ts'

type Mode = 'bridge' | 'private' | 'vepa' | 'passthru'

export interface MacvlanConfig extends ChildConfig {
  readonly mode?: Mode | '' | undefined
  readonly bcqueuelen?: number | undefined
  readonly hostAccess?: boolean | undefined
}

export const macvlan = childLink<MacvlanConfig>({
  name: 'macvlan',
  on: 'the default route',
  needsUp: false,
  hasMac: true,
  data: ({ mode, bcqueuelen }) => ({
    mode: mode || 'bridge',
    ...(bcqueuelen ? { broadcastQueueLength: bcqueuelen } : {}),
  }),
  more: ({ hostAccess = false }) => ({ makesVlan: true, hostAccess }),
  check({ hostAccess, mode, linkInContainer }) {
    if (hostAccess !== true) return
    if ((mode || 'bridge') !== 'bridge') {
      throw unwanted(
        'mode',
        '"bridge" with hostAccess',
        mode,
        'in no other mode does the host reach the containers',
      )
    }
    if (linkInContainer === true) {
      throw new TnetError(
        'BAD_CONFIG',
        'hostAccess and linkInContainer: the host has no link there, both are true',
      )
    }
  },
})
