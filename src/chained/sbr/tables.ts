// A table for each address of an interface: a rule that leads there, and the routes of the interface, out of the main one.
import { change, type Change } from '../../net/batch.ts'
import { copyOf, inOrder, isLinkLocal, withdrawal } from '../../net/route-copies.ts'
import { addRoute } from '../../net/routes.ts'
import { addSourceRule, isOurs, Rules, type SourceRule, sourceRuleOf } from '../../net/rules.ts'
import type { Sandbox } from '../../net/sandbox.ts'
import type { Route } from '../../netlink/route/route.ts'
import type { Rule } from '../../netlink/route/rule.ts'

export const MAIN = 254
const FIRST = 100
/** Default routes that were not there before carry it, and do not go to the main table on DEL. */
const DEFAULT_PROTOCOL = 117

export interface Address {
  /** Without prefix length. */
  readonly source: string
  readonly gateway: string | undefined
}

/** Of the link, in the family of `source`; those that every link has for itself stay where they are. */
export function routesIn(routes: readonly Route[], index: number, table: number): Route[] {
  const fits = (each: Route) => each.outputIndex === index && each.table === table && each.type === 'unicast'
  return routes.filter(each => fits(each) && !isLinkLocal(each))
}

/** As many tables as there are addresses, that no rule and no route speaks of. */
export function unusedTables(rules: readonly Rule[], routes: readonly Route[], count: number): number[] {
  const used = new Set([...rules, ...routes].map(({ table }) => table))
  const found: number[] = []
  for (let table = FIRST; found.length < count; table++) if (!used.has(table)) found.push(table)
  return found
}

/**
 * The rule goes first: by that DEL finds all the others. Routes leave the main table last, when all tables have them.
 */
export async function makeTables(
  sandbox: Sandbox,
  index: number,
  wanted: readonly (Address & SourceRule)[],
  { addSourceHints }: { readonly addSourceHints: boolean },
): Promise<void> {
  const moved = routesIn(await sandbox.routes.list(), index, MAIN)
  const changes: Change[] = wanted.flatMap(({ source, table, gateway }) => {
    const own = inOrder(moved.filter(each => familyOf(each) === isSix(source)))
    const hasDefault = own.some(each => each.destinationLength === 0 && each.gateway === gateway)
    return [
      {
        name: `add rule from ${source} to table ${table}`,
        request: addSourceRule({ source, table }),
        fine: ['EEXIST'],
      },
      ...own.map(route => ({
        name: `copy route to ${route.destination ?? 'default'} to table ${table}`,
        request: copyOf(addSourceHints ? hinted(route, source) : route, table),
        fine: ['EEXIST'],
      })),
      ...(gateway === undefined || hasDefault ? [] : [defaultRoute(index, gateway, table)]),
    ]
  })
  const withdrawals = moved.map(route => ({
    name: `remove route to ${route.destination ?? 'default'} from the main table`,
    request: withdrawal(route, MAIN),
    fine: ['ESRCH'],
  }))
  await change(sandbox.route, changes)
  await change(sandbox.route, withdrawals)
}

/** The routes of subnets are the kernel's, which says by itself what they need. */
function hinted(route: Route, source: string): Route {
  const isOwn = route.protocol === 'kernel' || route.preferredSource !== undefined
  return isOwn ? route : { ...route, preferredSource: source }
}

/** As it was, without our hint. */
function plain(route: Route, sources: readonly (string | undefined)[]): Route {
  const { preferredSource, ...rest } = route
  return route.protocol === 'kernel' || !sources.includes(preferredSource) ? route : rest
}

function defaultRoute(index: number, gateway: string, table: number): Change {
  const dst = isSix(gateway) ? '::/0' : '0.0.0.0/0'
  const made = addRoute(index, { dst, gw: gateway, table })
  const value = { ...(made.value as object), protocol: DEFAULT_PROTOCOL }
  return {
    name: `add default route by ${gateway} to table ${table}`,
    request: { ...made, value },
    fine: ['EEXIST'],
  }
}

/** The routes go back to the main table, then the rules go. `index`: of the link, where it is still there. */
export async function removeTables(
  sandbox: Sandbox,
  rules: readonly Rule[],
  index: number | undefined,
): Promise<void> {
  const tables = new Set(rules.filter(isOurs).map(({ table }) => table))
  if (index !== undefined) {
    const all = (await sandbox.routes.list()).filter(
      each => each.table !== undefined && each.table !== MAIN && tables.has(each.table),
    )
    const own = [...tables].flatMap(table => routesIn(all, index, table ?? 0))
    const back = inOrder(own.filter(({ protocol }) => protocol !== DEFAULT_PROTOCOL))
    const sources = rules.map(rule => sourceRuleOf(rule)?.source)
    const changes: Change[] = [
      ...back.map(route => ({ route, request: copyOf(plain(route, sources), MAIN), fine: ['EEXIST'] })),
      ...own.map(route => ({ route, request: withdrawal(route, route.table ?? 0), fine: ['ESRCH'] })),
    ].map(({ route, ...each }) => ({ name: `move route to ${route.destination ?? 'default'} back`, ...each }))
    if (changes.length > 0) await change(sandbox.route, changes)
  }
  await new Rules(sandbox).remove(rules)
}

/** Rules of ours, or of the reference, which marks them by nothing, for one of the addresses. */
export function rulesFor(rules: readonly Rule[], sources: readonly string[]): Rule[] {
  return rules.filter(each => {
    const source = sourceRuleOf(each)?.source
    const isReferences = each.protocol === 'unspec' || each.protocol === undefined
    return source !== undefined && sources.includes(source) && (isOurs(each) || isReferences)
  })
}

export function isSix(text: string): boolean {
  return text.includes(':')
}

const AF_INET6 = 10

function familyOf({ family }: Route): boolean {
  return family === AF_INET6
}
