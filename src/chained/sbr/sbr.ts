// Source-based routing: what a container sends from an address of this interface leaves by this interface.
import type { Linkless, LinkedPort, Network } from '../../drivers/driver.ts'
import { TnetError } from '../../errors.ts'
import type { Host } from '../../net/host.ts'
import { toldOf } from '../../net/leaving-port.ts'
import type { Owner } from '../../net/owner.ts'
import type { AttachResult } from '../../net/result.ts'
import { isOurs, Rules, sourceRuleOf } from '../../net/rules.ts'
import { ownLink } from '../../net/sandbox-link.ts'
import { inOwnSandbox } from '../../net/own-sandbox.ts'
import type { Sandbox } from '../../net/sandbox.ts'
import type { Link } from '../../netlink/route/link.ts'
import type { Rule } from '../../netlink/route/rule.ts'
import { parseLeaving, parseOptions, type SbrConfig, type SbrOptions } from './options.ts'
import {
  type Address,
  isSix,
  MAIN,
  makeTables,
  removeTables,
  routesIn,
  rulesFor,
  unusedTables,
} from './tables.ts'

export const sbr: Linkless<SbrConfig, SbrOptions> = {
  name: 'sbr',
  parse: parseOptions,
  parseLeaving,

  async attach({ options }, port, host, steps) {
    const { owner, sandbox, result } = port
    const link = await linkOf(port)
    using _ = await host.sandboxTurn(sandbox)
    const all = await new Rules(sandbox).list()
    const has = new Set(all.filter(isOurs).map(rule => sourceRuleOf(rule)?.source))
    const missing = addressesOf(owner, result, options).filter(({ source }) => !has.has(source))
    if (missing.length === 0) return result
    const { table } = options
    const tables =
      table === undefined
        ? unusedTables(all, await sandbox.routes.list(), missing.length)
        : missing.map(() => table)
    const wanted = missing.map((each, i) => ({ ...each, table: tables[i] ?? MAIN }))
    const undo = async () => {
      const made = rulesFor(
        await new Rules(sandbox).list(),
        missing.map(({ source }) => source),
      )
      await removeTables(sandbox, made.filter(isOurs), table === undefined ? link.index : undefined)
    }
    await steps.step(
      `route by source in ${sandbox.path}`,
      async () => {
        try {
          if (table !== undefined) await new Rules(sandbox).add(wanted)
          else await makeTables(sandbox, link.index, wanted, options)
        } catch (error) {
          await undo()
          throw error
        }
      },
      undo,
    )
    return result
  },

  async detach(_network, { owner, sandbox, result }, host) {
    if (sandbox === undefined) return inOwnSandbox(owner, host, (found, link) => clear(found, link, host))
    const link = await ownLink(owner, { sandbox, host, told: toldOf(owner, result) })
    if (link === undefined && (await sandbox.links.get(owner.ifname)) !== undefined) return // another's
    const known = result === undefined ? [] : addressesOf(owner, result, parseLeaving())
    using _ = await host.sandboxTurn(sandbox)
    const rules = await new Rules(sandbox).list()
    const sources = [...known.map(({ source }) => source), ...(await addressesAt(sandbox, link))]
    const own = rulesFor(rules, sources)
    const gone = link === undefined ? await idle(sandbox, rules) : []
    await removeTables(sandbox, [...new Set([...own, ...gone])], link?.index)
  },

  check: checkRules,

  async gc({ name }, valid, host) {
    const { gc } = await import('./gc.ts') // it reads all of /proc
    await gc(name, valid, host)
  },
}

async function linkOf({ owner: { ifname }, sandbox }: LinkedPort): Promise<Link> {
  const link = await sandbox.links.get(ifname)
  if (link !== undefined) return link
  throw new TnetError('NOT_FOUND', `${ifname}: there is no such interface in ${sandbox.path}`)
}

function addressesOf(
  { ifname }: Owner,
  { interfaces, ips }: AttachResult,
  { gateways }: SbrOptions,
): Address[] {
  // Where none is named, as before version 0.3.0, there is one interface.
  const isOwn = (position: number | undefined) =>
    position === undefined || (interfaces[position]?.name === ifname && !!interfaces[position]?.sandbox)
  return ips
    .filter(each => isOwn(each.interface))
    .map(({ address, gateway }) => {
      const source = address.split('/')[0] ?? ''
      return { source, gateway: gateways.find(each => isSix(each) === isSix(source)) ?? gateway }
    })
}

/** What the link has now. */
async function addressesAt(sandbox: Sandbox, link: Link | undefined): Promise<string[]> {
  if (link === undefined) return []
  return (await sandbox.addresses.list(link.index)).map(({ cidr }) => cidr.split('/')[0] ?? '')
}

/** Takes away what there is for the addresses of the link. */
export async function clear(sandbox: Sandbox, link: Link, host: Host): Promise<void> {
  using _ = await host.sandboxTurn(sandbox)
  const rules = await new Rules(sandbox).list()
  await removeTables(sandbox, rulesFor(rules, await addressesAt(sandbox, link)), link.index)
}

/** Rules of ours whose tables and addresses went with the link. */
async function idle(sandbox: Sandbox, rules: readonly Rule[]): Promise<Rule[]> {
  const full = new Set((await sandbox.routes.list()).map(({ table }) => table))
  const has = new Set(await sandbox.addresses.all())
  return rules.filter(
    each => isOurs(each) && !full.has(each.table) && !has.has(sourceRuleOf(each)?.source ?? ''),
  )
}

/** Throws CHECK_FAILED. */
async function checkRules({ options }: Network<SbrOptions>, port: LinkedPort, _host: Host): Promise<void> {
  const { owner, sandbox, result } = port
  const link = await linkOf(port)
  const rules = await new Rules(sandbox).list()
  const routes = await sandbox.routes.list()
  for (const { source, gateway } of addressesOf(owner, result, options)) {
    const table = rulesFor(rules, [source]).at(0)?.table
    if (table === undefined) throw failed(`the rule for ${source} is gone`)
    if (options.table !== undefined && table !== options.table) {
      throw failed(`the rule for ${source} leads to table ${table}, want ${options.table}`)
    }
    if (options.table !== undefined || gateway === undefined) continue
    const own = routesIn(routes, link.index, table)
    if (!own.some(each => each.destinationLength === 0 && each.gateway === gateway)) {
      throw failed(`the default route by ${gateway} is gone from table ${table}`)
    }
  }
}

function failed(message: string): TnetError {
  return new TnetError('CHECK_FAILED', message, 'DEL and ADD the container again')
}
