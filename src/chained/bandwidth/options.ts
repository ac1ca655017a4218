// From the keys of the bandwidth plugin to limits in bytes.
import { TnetError, unwanted } from '../../errors.ts'
import type { Limit } from '../../net/traffic.ts'

/** Bits a second, and bits. */
interface Limits {
  readonly ingressRate?: number
  readonly ingressBurst?: number
  readonly egressRate?: number
  readonly egressBurst?: number
}

export interface BandwidthConfig extends Limits {
  readonly runtimeConfig?: { readonly bandwidth?: Limits }
}

/** As the container sees it: `ingress` is what it receives. */
export interface BandwidthOptions {
  readonly ingress: Limit | undefined
  readonly egress: Limit | undefined
}

const KEYS = ['ingressRate', 'ingressBurst', 'egressRate', 'egressBurst'] as const
/** The kernel counts a burst in 32 bits of bytes; the reference refuses the last of them too. */
const MOST_BURST = 0xffff_ffff * 8 - 1

/** What the network says itself, even a 0, goes before all that the runtime asks for. Throws BAD_CONFIG. */
export function parseOptions(config: BandwidthConfig): BandwidthOptions {
  const isStatic = KEYS.some(key => config[key] !== undefined)
  const limits = isStatic ? config : (config.runtimeConfig?.bandwidth ?? {})
  const at = isStatic ? '' : 'runtimeConfig.bandwidth.'
  return {
    ingress: limitOf(limits, 'ingressRate', 'ingressBurst', at),
    egress: limitOf(limits, 'egressRate', 'egressBurst', at),
  }
}

function limitOf(
  limits: Limits,
  rateKey: 'ingressRate' | 'egressRate',
  burstKey: 'ingressBurst' | 'egressBurst',
  at: string,
): Limit | undefined {
  const { [rateKey]: rate = 0, [burstKey]: burst = 0 } = limits
  if (rate === 0 && burst === 0) return undefined
  if (burst === 0) throw alone(`${at}${rateKey}`, rate, `${at}${burstKey}`)
  if (rate === 0) throw alone(`${at}${burstKey}`, burst, `${at}${rateKey}`)
  if (burst > MOST_BURST) throw unwanted(`${at}${burstKey}`, 'less than 4 GiB, in bits', burst)
  return { rate: BigInt(Math.max(1, Math.floor(rate / 8))), burst: Math.ceil(burst / 8) }
}

function alone(key: string, value: number, other: string): TnetError {
  return new TnetError('BAD_CONFIG', `${key}: want ${other} beside it, got ${value} alone`)
}
