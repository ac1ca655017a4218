// The configuration of the bandwidth plugin. What belongs together is checked where it is read.
import { network } from './network.ts'
import { integer, object, type Schema } from './schema.ts'

const number = integer(0, Number.MAX_SAFE_INTEGER)

const limits = {
  ingressRate: number,
  ingressBurst: number,
  egressRate: number,
  egressBurst: number,
}

export const bandwidth: Schema = object({
  ...network,
  ...limits,
  runtimeConfig: object(
    { ...network['runtimeConfig']?.properties, bandwidth: object(limits) },
    { open: true },
  ),
})
