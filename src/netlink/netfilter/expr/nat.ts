// nat, masq and redir: other addresses and ports for a connection.
import { attributes } from '../../../wire/attributes.ts'
import { be32, enumeration, flagSet } from '../../../wire/codec.ts'
import { register } from '../data.ts'
import { family32 } from '../message.ts'

/** NF_NAT_RANGE_*, include/uapi/linux/netfilter/nf_nat.h */
const natFlags = flagSet(be32, {
  mapIps: 0x1,
  protoSpecified: 0x2,
  random: 0x4,
  persistent: 0x8,
  fullyRandom: 0x10,
  protoOffset: 0x20,
  netmap: 0x40,
})

/** NFTA_NAT_* */
export const natAttributes = attributes({
  type: [1, enumeration(be32, { snat: 0, dnat: 1 })],
  family: [2, family32],
  addressMin: [3, register],
  addressMax: [4, register],
  protoMin: [5, register],
  protoMax: [6, register],
  flags: [7, natFlags],
})

/** NFTA_MASQ_* */
export const masqAttributes = attributes({
  flags: [1, natFlags],
  protoMin: [2, register],
  protoMax: [3, register],
})

/** NFTA_REDIR_* */
export const redirAttributes = attributes({
  protoMin: [1, register],
  protoMax: [2, register],
  flags: [3, natFlags],
})

/** The registers that hold the address and the port; left out, the port stays. */
interface Target {
  readonly family: 'ip' | 'ip6'
  readonly address: number
  readonly port?: number | undefined
}

function translate(type: 'snat' | 'dnat', { family, address, port }: Target) {
  const proto = port === undefined ? {} : { protoMin: port, flags: new Set(['protoSpecified'] as const) }
  return { name: 'nat', data: { type, family, addressMin: address, ...proto } } as const
}

export const nat = {
  snat: (target: Target) => translate('snat', target),
  dnat: (target: Target) => translate('dnat', target),
  masquerade: () => ({ name: 'masq', data: {} }) as const,
  /** To this machine; `port` is the register that holds the port. */
  redirect: (port?: number) =>
    port === undefined
      ? ({ name: 'redir', data: {} } as const)
      : ({ name: 'redir', data: { protoMin: port, flags: new Set(['protoSpecified'] as const) } } as const),
}
