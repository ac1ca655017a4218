// The host's own namespace as a container's: nothing is made, and nothing is to be removed.
import { TnetError } from '../errors.ts'
import { badNetns, ownNetns } from '../net/netns.ts'
import type { Sandbox } from '../net/sandbox.ts'
import type { Linkless } from './driver.ts'
import { refusePorts, type SharedConfig, toldOf } from './shared.ts'

export const host: Linkless<SharedConfig, undefined> = {
  name: 'host',
  parse(config) {
    refusePorts(config, 'host')
    return undefined
  },
  parseLeaving: () => undefined,

  async attach(_network, { sandbox }, host) {
    if (!isHosts(sandbox)) {
      throw badNetns(sandbox.path, "it is not the host's, which containers of this network share")
    }
    return toldOf(host, sandbox.path, await host.links.list())
  },

  async detach() {},

  async check(_network, { sandbox }) {
    if (isHosts(sandbox)) return
    throw new TnetError('CHECK_FAILED', `${sandbox.path} is not the host's namespace`)
  },
}

function isHosts(sandbox: Sandbox): boolean {
  using own = ownNetns()
  return own.id === sandbox.id
}
