// What tuning is asked for: by the network, by CNI_ARGS, by the runtime and by its caller, each before the next.
import type { TuningConfig } from '../chained/tuning/options.ts'
import { cniArgs } from './args.ts'
import { isObject, type Json } from './json.ts'
import type { Request } from './plugin.ts'

/** As the reference has it: what `args` say goes before all. Throws INTERNAL where CNI_ARGS cannot be read. */
export function tuningConfig({ config, environment }: Request): TuningConfig {
  const { args, runtimeConfig, ...own } = config
  const { MAC } = cniArgs(environment.args, ['MAC'])
  const asked = isObject(args) && isObject(args['cni']) ? args['cni'] : {}
  const macs = { ...own, ...(MAC === undefined ? {} : { mac: MAC }), ...macOf(runtimeConfig) }
  const both = { ...macs, ...asked }
  const sysctl = { ...objectOf(own['sysctl']), ...objectOf(asked['sysctl']) }
  return { ...both, sysctl, ...ethtoolOf(own['ethtool'], asked['ethtool']) } as unknown as TuningConfig
}

/** Features are put together name by name, as parameters are. */
function ethtoolOf(own: Json | undefined, asked: Json | undefined): { ethtool?: object } {
  if (!isObject(own) || !isObject(asked)) return {} // there is one at most
  const [before, after] = [own['features'], asked['features']]
  const features = isObject(before) && isObject(after) ? { ...before, ...after } : (after ?? before)
  return { ethtool: { ...own, ...asked, ...(features === undefined ? {} : { features }) } }
}

function macOf(value: unknown): object {
  return isObject(value as never) && (value as { mac?: unknown }).mac !== undefined
    ? { mac: (value as { mac?: unknown }).mac }
    : {}
}

function objectOf(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {}
}
