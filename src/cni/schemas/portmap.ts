// The configuration of the portmap plugin.
import { network } from './network.ts'
import { address, flag, integer, list, maybe, object, oneOf, type Schema, text } from './schema.ts'

const port = integer(1, 65535)

const mapping = object(
  {
    hostPort: port,
    containerPort: port,
    protocol: maybe('one of tcp, udp, sctp'),
    hostIP: address,
  },
  {
    open: true,
    required: ['hostPort', 'containerPort'],
    want: '{"hostPort": ..., "containerPort": ..., "protocol": ..., "hostIP": ...}',
  },
)

const conditions = list(text('a condition', 4095), 'a list of conditions')

export const portmap: Schema = object({
  ...network,
  backend: oneOf('', 'iptables', 'nftables'),
  snat: flag,
  masqAll: flag,
  markMasqBit: integer(0, 31),
  externalSetMarkChain: maybe('the name of a chain of iptables'),
  conditionsV4: conditions,
  conditionsV6: conditions,
  runtimeConfig: {
    ...network['runtimeConfig'],
    properties: {
      ...network['runtimeConfig']?.properties,
      portMappings: list(mapping, 'a list of {"hostPort": ..., "containerPort": ...}'),
    },
  },
})
