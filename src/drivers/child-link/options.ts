// What networks of links inside sandboxes have in common: which kind, on which link, how large.
import { TnetError } from '../../errors.ts'
import { checkedInterface } from '../../net/names.ts'
import type { LinkRequest } from '../../netlink/route/link.ts'

type LinkInfo = NonNullable<LinkRequest['linkInfo']>
export type LinkData = NonNullable<LinkInfo['data']>

/** As users write it; types and ranges are the door's schema. */
export interface ChildConfig {
  readonly master?: string | undefined
  readonly mtu?: number | undefined
  readonly linkInContainer?: boolean | undefined
  readonly enabledad?: boolean | undefined
}

/** What tells one kind from the others. */
export interface ChildKind<C extends ChildConfig> {
  /** The kernel's name of it, and the plugin's. */
  readonly name: 'macvlan' | 'ipvlan' | 'vlan' | 'dummy'
  /** What it stands on: no link, the one that `master` names, or by default that of the default route. */
  readonly on: 'nothing' | 'a named link' | 'the default route'
  /** It cannot be up while the link below is down. */
  readonly needsUp: boolean
  /** It may have a MAC address of its own choice. */
  readonly hasMac: boolean
  /** IFLA_INFO_DATA, without what the kernel decides. For DEL too, where it must not throw. */
  data(config: C): LinkData
  /** Beyond what all have. */
  more?(config: C): Partial<Pick<ChildOptions, 'makesVlan' | 'hostAccess'>>
  /** Throws BAD_CONFIG for what `data` and `more` cannot mean. */
  check?(config: C): void
}

export interface ChildOptions extends Pick<ChildKind<ChildConfig>, 'on' | 'needsUp' | 'hasMac'> {
  readonly kind: ChildKind<ChildConfig>['name']
  readonly data: LinkData
  /** Undefined: that of the default route, or none. */
  readonly master: string | undefined
  /** The link below is one of the sandbox's, not of the host's. */
  readonly inSandbox: boolean
  /** Undefined: the kernel's default, which is that of the link below. */
  readonly mtu: number | undefined
  readonly duplicateAddressDetection: boolean
  /** A missing master called `eth0.10` is made: VLAN 10 of eth0. */
  readonly makesVlan: boolean
  /** The host reaches the addresses of its sandboxes by a link of its own. */
  readonly hostAccess: boolean
}

/** Throws TnetError BAD_CONFIG. */
export function parseChild<C extends ChildConfig>(kind: ChildKind<C>, config: C): ChildOptions {
  kind.check?.(config)
  const options = optionsOf(kind, config)
  if (options.master !== undefined) checkedInterface('master', options.master)
  if (kind.on === 'a named link' && options.master === undefined) {
    throw new TnetError('BAD_CONFIG', 'master: want the name of a link, got nothing')
  }
  return options
}

/** As `parseChild`, but nothing is too wrong for DEL. */
export function optionsOf<C extends ChildConfig>(kind: ChildKind<C>, config: C): ChildOptions {
  const { name, on, needsUp, hasMac } = kind
  return {
    kind: name,
    on,
    needsUp,
    hasMac,
    data: kind.data(config),
    master: config.master,
    inSandbox: config.linkInContainer ?? false,
    mtu: config.mtu || undefined,
    duplicateAddressDetection: config.enabledad ?? name !== 'dummy',
    makesVlan: false,
    hostAccess: false,
    ...kind.more?.(config),
  }
}
