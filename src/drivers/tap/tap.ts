// tap networks: a link inside each sandbox whose other end is a program, such as a virtual machine.
import { TnetError } from '../../errors.ts'
import { kindOf } from '../../net/links.ts'
import { checkedInterface } from '../../net/names.ts'
import { networkTag, ownerTag } from '../../net/owner.ts'
import { ownLink } from '../../net/sandbox-link.ts'
import type { Sandbox } from '../../net/sandbox.ts'
import { checkSelinux } from '../../net/socket-label.ts'
import { addTap, checkTun } from '../../net/tap.ts'
import type { Driver } from '../driver.ts'
import { check } from './check.ts'

/** As users write it; types and ranges are the door's schema. */
export interface TapConfig {
  readonly multiQueue?: boolean | undefined
  readonly mtu?: number | undefined
  readonly owner?: number | undefined
  readonly group?: number | undefined
  readonly selinuxContext?: string | undefined
  readonly bridge?: string | undefined
}

export interface TapOptions {
  readonly multiQueue: boolean
  /** Undefined: the kernel's default. */
  readonly mtu: number | undefined
  /** Who may open it besides root; undefined: everybody who may open /dev/net/tun. */
  readonly user: number | undefined
  readonly group: number | undefined
  readonly selinuxContext: string | undefined
  /** A bridge of the sandbox that it becomes a port of. */
  readonly bridge: string | undefined
}

export const tap: Driver<TapConfig, TapOptions> = {
  name: 'tap',

  parse(config) {
    if (config.bridge !== undefined) checkedInterface('bridge', config.bridge)
    return optionsOf(config)
  },
  parseLeaving: optionsOf,

  async attach({ options }, { owner, sandbox, mac }, _host, steps) {
    const { bridge, ...device } = options
    const master = bridge === undefined ? undefined : await findBridge(bridge, sandbox)
    const link = await steps.step(
      `add tap ${owner.ifname}`,
      () => addTap(sandbox, { owner, mac, master, ...device }),
      ({ index }) => sandbox.links.remove({ index }),
    )
    const { index, mtu, address = '' } = link
    return { index, interfaces: [{ name: owner.ifname, mac: address, mtu, sandbox: sandbox.path }] }
  },

  async detach(_network, { owner, sandbox, ...told }, host) {
    if (sandbox === undefined) return
    const link = await ownLink(owner, { sandbox, host, told })
    if (link?.linkInfo?.kind === 'tun') await sandbox.links.remove({ index: link.index })
  },

  check,

  async gc({ name }, valid) {
    const tags = new Set(valid.map(attached => ownerTag({ network: name, ...attached })))
    // Which namespaces there are is a question of GC alone: other verbs do without its code.
    const { removeStaleLinks } = await import('../../net/reachable-links.ts')
    await removeStaleLinks(
      ({ linkInfo, alias = '' }) =>
        linkInfo?.kind === 'tun' && alias.startsWith(networkTag(name)) && !tags.has(alias),
    )
  },

  async status({ options: { selinuxContext } }) {
    checkTun()
    checkSelinux(selinuxContext)
  },
}

function optionsOf(config: TapConfig): TapOptions {
  const { multiQueue = false, mtu, owner: user, group, selinuxContext, bridge } = config
  return { multiQueue, mtu: mtu || undefined, user, group, selinuxContext, bridge }
}

async function findBridge(name: string, sandbox: Sandbox): Promise<number> {
  const link = await sandbox.links.get(name)
  if (link === undefined) {
    throw new TnetError(
      'NOT_FOUND',
      `bridge ${name}: ${sandbox.path} has no such link`,
      'it must be there before the tap device: put the plugin that makes it first',
    )
  }
  if (link.linkInfo?.kind === 'bridge') return link.index
  throw new TnetError('BAD_CONFIG', `bridge: want a bridge, ${name} is a ${kindOf(link)}`)
}
