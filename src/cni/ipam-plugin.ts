// Address management of our own as a CNI plugin of its own, which other plugins execute.
import type { Ipam } from '../ipam/ipam.ts'
import { Steps } from '../steps.ts'
import { askedAddresses } from './asked.ts'
import type { Document } from './config.ts'
import type { Plugin, Request } from './plugin.ts'
import { VERSIONS } from './version.ts'

/** What address management needs of a call; `config` is as the kind's own schema has it. */
export type IpamRequest = Pick<Request, 'network' | 'config' | 'version' | 'env' | 'environment'>

export type OpenIpam = Ipam & Partial<AsyncDisposable>

/** A way to keep leases. */
export interface IpamKind {
  readonly name: string
  readonly document: Document
  /** It reads by itself which addresses a caller asks for; others are told by `allocate`. */
  readonly readsRequests?: true
  /** Throws TnetError BAD_CONFIG. */
  open(request: IpamRequest): Promise<OpenIpam>
}

/** The arguments of CNI_ARGS that concern an IPAM plugin, and the one that is for the plugin that calls it. */
const ARGUMENTS = ['IP', 'MAC'] as const

export function ipamPlugin(kind: IpamKind): Plugin {
  /** Opens the leases, and closes them when `deed` is done. */
  async function use<T>(request: Request, deed: (ipam: Ipam) => Promise<T>): Promise<T> {
    await using open = closing(await kind.open(request))
    return await deed(open.ipam)
  }
  return {
    name: kind.name,
    versions: VERSIONS,
    document: kind.document,
    add: (request, answer) =>
      use(request, async ipam => {
        const requested = kind.readsRequests ? [] : askedAddresses(request, ARGUMENTS)
        await using steps = new Steps(request.log)
        const assignment = await steps.step(
          `allocate addresses of ${request.network}`,
          () => ipam.allocate(request.owner, requested),
          () => ipam.release(request.owner),
        )
        await answer({ interfaces: [], ...assignment })
        steps.commit()
      }),
    del: request => use(request, ipam => ipam.release(request.owner)),
    check: request => use(request, ipam => ipam.check(request.owner)),
    gc: (request, valid) => use(request, ipam => ipam.gc(request.network, valid)),
    status: request => use(request, ipam => ipam.status(request.network)),
  }
}

/** Not every kind has something to close. */
export function closing(ipam: OpenIpam): { readonly ipam: Ipam } & AsyncDisposable {
  return { ipam, [Symbol.asyncDispose]: async () => ipam[Symbol.asyncDispose]?.() }
}
