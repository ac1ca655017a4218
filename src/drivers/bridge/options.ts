// The configuration of a bridge network, made definite.
import { TnetError } from '../../errors.ts'
import type { Isolation } from '../../net/firewall.ts'
import { checkedInterface } from '../../net/names.ts'

/** As users write it; types and ranges are the door's schema. */
export interface BridgeConfig {
  readonly bridge?: string | undefined
  readonly isGateway?: boolean | undefined
  readonly isDefaultGateway?: boolean | undefined
  readonly forceAddress?: boolean | undefined
  readonly ipMasq?: boolean | undefined
  readonly mtu?: number | undefined
  readonly hairpinMode?: boolean | undefined
  readonly promiscMode?: boolean | undefined
  readonly vlan?: number | undefined
  readonly vlanTrunk?: readonly VlanTrunk[] | undefined
  readonly preserveDefaultVlan?: boolean | undefined
  readonly macspoofchk?: boolean | undefined
  readonly enabledad?: boolean | undefined
  readonly disableContainerInterface?: boolean | undefined
  readonly portIsolation?: boolean | undefined
  readonly networkIsolation?: boolean | undefined
  readonly internal?: boolean | undefined
}

export interface VlanTrunk {
  readonly id?: number | undefined
  readonly minID?: number | undefined
  readonly maxID?: number | undefined
}

/** VLAN ids from `first` to `last`. */
export interface VlanRange {
  readonly first: number
  readonly last: number
}

export interface BridgeOptions {
  readonly bridge: string
  readonly gateway: boolean
  readonly defaultGateway: boolean
  readonly forceAddress: boolean
  readonly masquerade: boolean
  /** Undefined: the kernel's default. */
  readonly mtu: number | undefined
  readonly hairpin: boolean
  readonly promiscuous: boolean
  /** The VLAN of untagged frames. */
  readonly vlan: number | undefined
  readonly trunk: readonly VlanRange[]
  readonly preserveDefaultVlan: boolean
  readonly spoofCheck: boolean
  readonly duplicateAddressDetection: boolean
  /** Leaves the sandbox's end down and without addresses. */
  readonly containerDown: boolean
  readonly isolated: boolean
  /** Undefined: what the firewall says of the bridge stays as it is. */
  readonly networkIsolation: Isolation | undefined
}

/** Throws TnetError BAD_CONFIG. */
export function parseBridge(config: BridgeConfig): BridgeOptions {
  if (config.hairpinMode === true && config.promiscMode === true) {
    throw wrong(
      'hairpinMode and promiscMode: a bridge has one of them, both are true',
      'leave out one of the two',
    )
  }
  const defaultGateway = config.isDefaultGateway ?? false
  const bridge = checkedInterface('bridge', config.bridge || 'cni0')
  const gateway = defaultGateway || (config.isGateway ?? false)
  const vlan = config.vlan || undefined
  const internal = config.internal ?? false
  if (gateway && vlan !== undefined) checkedInterface("bridge: its VLAN's gateway", `${bridge}.${vlan}`)
  return {
    bridge,
    gateway,
    defaultGateway,
    forceAddress: config.forceAddress ?? false,
    masquerade: config.ipMasq ?? false,
    mtu: config.mtu || undefined,
    hairpin: config.hairpinMode ?? false,
    promiscuous: config.promiscMode ?? false,
    vlan,
    trunk: (config.vlanTrunk ?? []).flatMap(vlanRanges),
    preserveDefaultVlan: config.preserveDefaultVlan ?? false,
    spoofCheck: config.macspoofchk ?? false,
    duplicateAddressDetection: config.enabledad ?? false,
    containerDown: config.disableContainerInterface ?? false,
    isolated: config.portIsolation ?? false,
    networkIsolation: internal || config.networkIsolation === true ? { internal } : undefined,
  }
}

/** The link by which the host reaches the network: the bridge, or the gateway of a VLAN. */
export function carrierName({ bridge, vlan, gateway }: BridgeOptions): string {
  return gateway && vlan !== undefined ? `${bridge}.${vlan}` : bridge
}

/** What detaching needs of a configuration, which may have been mended or spoilt since. */
export function parseLeavingBridge(config: BridgeConfig): BridgeOptions {
  const { bridge, isGateway, isDefaultGateway, vlan, ipMasq, macspoofchk, networkIsolation, internal } =
    config
  const shut = { networkIsolation, internal }
  try {
    return parseBridge({ bridge, isGateway, isDefaultGateway, vlan, ipMasq, macspoofchk, ...shut })
  } catch {
    // The name of the bridge is none that a link can have: it never had ports.
    return parseBridge({ ipMasq, macspoofchk })
  }
}

/** One entry may give an id, a range, or both. */
function vlanRanges({ id, minID, maxID }: VlanTrunk, index: number): VlanRange[] {
  const at = `vlanTrunk[${index}]`
  const ranges: VlanRange[] = []
  if (minID !== undefined || maxID !== undefined) {
    if (minID === undefined || maxID === undefined) {
      throw wrong(`${at}: minID and maxID go together, ${minID === undefined ? 'minID' : 'maxID'} is missing`)
    }
    if (minID > maxID) throw wrong(`${at}: minID ${minID} is above maxID ${maxID}`)
    ranges.push({ first: minID, last: maxID })
  }
  if (id !== undefined) ranges.push({ first: id, last: id })
  if (ranges.length === 0) throw wrong(`${at}: want id, or minID and maxID, got neither`)
  return ranges
}

function wrong(message: string, details = ''): TnetError {
  return new TnetError('BAD_CONFIG', message, details)
}
