// Qdiscs and filters of the links of one namespace.
import { deleteFilter, ETH_P_ALL, type Filter, getFilter, newFilter } from '../netlink/traffic/filter.ts'
import {
  handle,
  TC_H_CLSACT_EGRESS,
  TC_H_CLSACT_INGRESS,
  TC_H_INGRESS,
  TC_H_ROOT,
} from '../netlink/traffic/header.ts'
import { type tbf, TICK_NANOSECONDS } from '../netlink/traffic/kinds/tbf.ts'
import { deleteQdisc, getQdisc, newQdisc, type Qdisc } from '../netlink/traffic/qdisc.ts'
import { newLink } from '../netlink/route/link.ts'
import { type NetlinkSocket, type Request, request } from '../netlink/socket.ts'
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from '../wire/message.ts'

/** What may be sent: `rate` bytes a second, and `burst` bytes above it. */
export interface Limit {
  readonly rate: bigint
  readonly burst: number
}

/** A packet waits at most so long, then it is dropped. */
const LATENCY_MILLISECONDS = 25n
/** lo, in every namespace. */
const LOOPBACK = 1
const U32 = 0xffff_ffff
/** tc's `1:`, as the reference plugin has it. */
const HANDLE = handle(1)
/** Others' filters come before: a packet that goes to another link is not shown to those behind. */
const PRIORITY = 0xff00
/** Cookies of our redirections: whether the qdisc that they stand in was made for them. */
const MADE = 'tnet made'
const JOINED = 'tnet'
const EVERYTHING = { mask: 0, value: 0, offset: 0, offsetMask: 0 }
const utf8 = { encoder: new TextEncoder(), decoder: new TextDecoder() }

export interface Redirection {
  /** The index of the link where packets are received. */
  readonly from: number
  /** That of the link which sends them in place of this one receiving them; 0: it is gone. */
  readonly to: number
}

export class Traffic {
  readonly #socket: NetlinkSocket

  constructor({ route }: { readonly route: NetlinkSocket }) {
    this.#socket = route
  }

  /** What the link with this index has. */
  async qdiscs(index: number): Promise<Qdisc[]> {
    const all = await this.#socket.dump(getQdisc, { index }, newQdisc)
    return all.filter(each => each.index === index)
  }

  /** Limits what the link sends, in place of the limit that it had. */
  async limit(index: number, limit: Limit): Promise<void> {
    await this.#socket.batch([limitRequest(index, limit)])
  }

  /** Takes the limit away, ours or the reference's; what has none is as wanted. Qdiscs of others stay. */
  async unlimit(index: number): Promise<void> {
    if (!(await this.qdiscs(index)).some(isLimit)) return
    await this.#remove(request(deleteQdisc, { index, handle: HANDLE, parent: TC_H_ROOT }))
  }

  /**
   * Lets the link `to` send what `from` receives, once the filters of others have seen it. It goes into the clsact or
   * ingress qdisc that is there, or into a new one.
   */
  async redirect({ from, to }: Redirection): Promise<void> {
    const isThere = (await this.qdiscs(from)).some(isIngress)
    const made: Request[] = isThere
      ? []
      : [request(newQdisc, { ...ingressOf(from), kind: 'clsact' }, NLM_F_CREATE | NLM_F_EXCL)]
    const filter = redirectRequest({ from, to }, isThere ? JOINED : MADE)
    await this.#socket.batch([...made, filter])
  }

  /** Where our redirection of the link leads, or that of the reference to `to`; undefined where there is none. */
  async redirection(from: number, to?: number): Promise<Redirection | undefined> {
    const { filters } = await this.#received(from)
    const filter = filters.find(each => isOurs(each) || leadsTo(each, to))
    return filter && { from, to: targetOf(filter) ?? 0 }
  }

  /** Takes our redirection away, and that of the reference to `to`; with it its qdisc, if nobody else is in there. */
  async undirect(from: number, to?: number): Promise<void> {
    const { qdisc, filters } = await this.#received(from)
    if (qdisc === undefined) return
    const gone = filters.filter(each => isOurs(each) || leadsTo(each, to))
    // The reference makes an ingress qdisc; whether that of ours was made for it, its cookie says.
    const wasMade = gone.some(each => cookieOf(each) === MADE || !isOurs(each))
    // The kernel tells of a filter's table besides the filter: they have its priority.
    const isAlone = filters.every(({ priority }) => gone.some(each => each.priority === priority))
    if (wasMade && isAlone) {
      await this.#remove(request(deleteQdisc, { ...ingressOf(from), kind: qdisc.kind ?? '' }))
      return
    }
    for (const { parent, protocol, priority, kind } of gone) {
      await this.#remove(
        request(deleteFilter, { index: from, parent, protocol, priority, ...(kind && { kind }) }),
      )
    }
  }

  /** What the kernel lacks of that. It is asked for what cannot be made: nothing is. */
  async missing(): Promise<string[]> {
    const place = { index: LOOPBACK, handle: HANDLE, parent: TC_H_ROOT }
    const [qdisc, link] = await this.#socket.attempt([
      request(newQdisc, { ...place, kind: 'tbf' }, NLM_F_CREATE | NLM_F_EXCL),
      request(newLink, { name: 'no/name', linkInfo: { kind: 'ifb' } }, NLM_F_CREATE | NLM_F_EXCL),
    ])
    return [...(qdisc?.code === 'ENOENT' ? ['sch_tbf'] : []), ...(link?.code === 'EOPNOTSUPP' ? ['ifb'] : [])]
  }

  /** The qdisc that sees what the link receives, and its filters. */
  async #received(index: number): Promise<{ qdisc: Qdisc | undefined; filters: readonly Filter[] }> {
    const qdisc = (await this.qdiscs(index)).find(isIngress)
    const filters: Filter[] = []
    // An ingress qdisc answers to any parent.
    const parents = [TC_H_CLSACT_INGRESS, ...(qdisc?.kind === 'clsact' ? [TC_H_CLSACT_EGRESS] : [])]
    for (const parent of qdisc === undefined ? [] : parents) {
      const found = await this.#socket.dump(getFilter, { index, parent }, newFilter)
      filters.push(...found.map(each => ({ ...each, parent })))
    }
    return { qdisc, filters }
  }

  async #remove(deed: Request): Promise<void> {
    const [error] = await this.#socket.attempt([deed])
    if (error !== undefined && !['ENOENT', 'EINVAL', 'ENODEV'].includes(error.code)) throw error
  }
}

function limitRequest(index: number, { rate, burst }: Limit): Request {
  const none = { cellLog: 0, linkLayer: 'ethernet', overhead: 0, cellAlign: 0, mpu: 0, rate: 0 } as const
  const waiting = (rate * LATENCY_MILLISECONDS) / 1000n + BigInt(burst)
  const parameters = {
    rate: { ...none, rate: fitting(rate) },
    peakRate: none,
    limit: fitting(waiting),
    buffer: 0, // `burst` counts
    mtu: 0,
  }
  return request(
    newQdisc,
    {
      index,
      handle: HANDLE,
      parent: TC_H_ROOT,
      kind: 'tbf',
      options: { parameters, burst, ...(rate >= BigInt(U32) ? { rate64: rate } : {}) },
    },
    NLM_F_CREATE | NLM_F_REPLACE,
  )
}

function fitting(value: bigint): number {
  return value < BigInt(U32) ? Number(value) : U32
}

/** Whether one of the qdiscs holds to the limit. The kernel tells of the burst as the time that it takes at the rate. */
export function hasLimit(qdiscs: readonly Qdisc[], { rate, burst }: Limit): boolean {
  const { rate64, parameters } = limitOf(qdiscs) ?? {}
  if (parameters === undefined || (rate64 ?? BigInt(parameters.rate.rate)) !== rate) return false
  const ticks = (BigInt(burst) * 1_000_000_000n) / (rate * BigInt(TICK_NANOSECONDS))
  const difference = BigInt.asIntN(32, ticks - BigInt(parameters.buffer)) // it tells 32 bits of them
  const tolerated = ticks / 1000n + 2n // it computes with rounded factors
  return difference <= tolerated && -difference <= tolerated
}

function limitOf(qdiscs: readonly Qdisc[]): Tbf | undefined {
  return qdiscs.find(isLimit)?.options as Tbf | undefined
}

type Tbf = ReturnType<typeof tbf.decode>

function isLimit({ kind, handle: own, parent }: Qdisc): boolean {
  return kind === 'tbf' && own === HANDLE && parent === TC_H_ROOT
}

/** A qdisc that somebody chose: those that the kernel chooses by itself have no handle. */
export function chosenQdisc(qdiscs: readonly Qdisc[]): string | undefined {
  return qdiscs.find(each => each.parent === TC_H_ROOT && each.handle !== 0 && !isLimit(each))?.kind
}

function isIngress({ parent }: Qdisc): boolean {
  return parent === TC_H_INGRESS
}

function ingressOf(index: number) {
  return { index, handle: handle(0xffff), parent: TC_H_INGRESS }
}

function redirectRequest({ from, to }: Redirection, cookie: string): Request {
  const parameters = {
    index: 0,
    capabilities: 0,
    action: 'stolen',
    references: 0,
    bindings: 0,
    direction: 'egress_redirect',
    link: to,
  } as const
  return request(
    newFilter,
    {
      index: from,
      parent: TC_H_CLSACT_INGRESS,
      protocol: ETH_P_ALL,
      priority: PRIORITY,
      kind: 'u32', // any kernel has it that has filters at all
      options: {
        selector: { flags: new Set(['terminal'] as const), keys: [EVERYTHING] },
        actions: [{ kind: 'mirred', options: { parameters }, cookie: utf8.encoder.encode(cookie) }],
      },
    },
    NLM_F_CREATE | NLM_F_EXCL,
  )
}

function cookieOf(filter: Filter): string {
  return actionsOf(filter)
    .map(({ cookie }) => utf8.decoder.decode(cookie))
    .join('')
}

function isOurs(filter: Filter): boolean {
  return [MADE, JOINED].includes(cookieOf(filter))
}

function leadsTo(filter: Filter, to: number | undefined): boolean {
  return to !== undefined && targetOf(filter) === to
}

/** The link that the filter redirects to. */
function targetOf(filter: Filter): number | undefined {
  return actionsOf(filter).find(({ kind }) => kind === 'mirred')?.options?.parameters?.link
}

function actionsOf({ options }: Filter) {
  return options?.actions ?? []
}
