// The address management of a network plugin: our own in this process, anybody else's by executing it.
import type { Ipam } from '../ipam/ipam.ts'
import { unwanted } from '../errors.ts'
import { askedAddresses } from './asked.ts'
import { findPlugin, ownName } from './find-plugin.ts'
import { closing, type IpamKind } from './ipam-plugin.ts'
import { isObject } from './json.ts'
import type { Request } from './plugin.ts'
import { fitting } from './request.ts'

/** The kinds that we have, each loaded when a configuration names it. */
const KINDS: Readonly<Record<string, () => Promise<IpamKind>>> = {
  'host-local': async () => (await import('./host-local.ts')).hostLocal,
  static: async () => (await import('./static.ts')).staticIpam,
  'tnet-ipam': async () => (await import('./tnet-ipam.ts')).tnetIpam,
}

export interface Addresses extends AsyncDisposable {
  /** Undefined for a network of links alone. */
  readonly ipam: Ipam | undefined
  /** What the caller asked our own kinds for; others read it themselves. */
  readonly requested: readonly string[] | undefined
}

export function ipamType({ config }: Request): string | undefined {
  const type = isObject(config['ipam']) ? config['ipam']['type'] : undefined
  return typeof type === 'string' ? type : undefined
}

/** What CNI_ARGS may ask of a network plugin and of the address management that it names. */
export function knownArguments(request: Request): readonly string[] {
  const type = ipamType(request)
  if (type === undefined) return ['MAC']
  return type === 'static' ? ['MAC', 'IP', 'GATEWAY'] : ['MAC', 'IP']
}

/**
 * `known` are the arguments that CNI_ARGS may have. Throws TnetError BAD_CONFIG, BAD_ENVIRONMENT without CNI_PATH,
 * INTERNAL where the plugin is not there.
 */
export async function openIpam(
  request: Request,
  plugin: string,
  known: readonly string[],
): Promise<Addresses> {
  const type = ipamType(request)
  if (type === undefined) return { ipam: undefined, requested: undefined, async [Symbol.asyncDispose]() {} }
  if (type === plugin) throw unwanted('ipam.type', 'an IPAM plugin', type, 'it would call itself')
  const path = findPlugin(type, request.environment.path)
  const own = request.ownFolder === undefined ? undefined : ownName(path, request.ownFolder)
  if (own === undefined) return delegated(request, path)
  const kind = Object.hasOwn(KINDS, own) ? await KINDS[own]?.() : undefined
  if (kind === undefined) throw unwanted('ipam.type', 'an IPAM plugin', type, 'it manages no addresses')
  const { config, hints } = fitting(kind.document, request)
  for (const hint of hints) if (/^"(ipam|runtimeConfig)/.test(hint)) request.warn(hint)
  const isAsked = request.environment.command === 'ADD' && kind.readsRequests !== true
  const requested = isAsked ? askedAddresses({ ...request, config }, known) : []
  return { ...closing(await kind.open({ ...request, config })), requested }
}

/** As `openIpam`, for DEL: what cannot be opened fails when it is to release, and nothing else is held up by it. */
export async function openIpamLate(request: Request, plugin: string): Promise<Addresses> {
  try {
    return await openIpam(request, plugin, [])
  } catch (error) {
    const fail = () => Promise.reject(error)
    const ipam: Ipam = { allocate: fail, release: fail, check: fail, gc: fail, status: fail }
    return { ipam, requested: undefined, async [Symbol.asyncDispose]() {} }
  }
}

async function delegated({ stdin, env, version, log }: Request, path: string): Promise<Addresses> {
  const { delegatedIpam } = await import('./delegate.ts')
  const ipam = delegatedIpam({ path, stdin, env, version, log })
  return { ipam, requested: undefined, async [Symbol.asyncDispose]() {} }
}
