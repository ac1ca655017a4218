// The state of the kernel and of the state folders as text, for tests that say: the same before as after.
import { existsSync } from 'node:fs'
import { lstat, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { netnsNames } from './namespaces.ts'
import { run } from './run.ts'

/** Where plugins keep files. /run/netns is not among them: its namespaces have sections of their own. */
const STATE_FOLDERS = ['/var/lib/cni', '/var/lib/tnet', '/run']

/** What to look at. */
export interface View {
  /** Named namespaces, beside the test's own: all where absent. */
  readonly names?: readonly string[]
  readonly folders?: readonly string[]
}

/**
 * Links with their features, addresses, routes, rules, nftables and parameters of the namespaces, the paths in the
 * state folders, and what the store has on record. What moves without anybody's deed is left out: indexes, timers,
 * counters, carrier, link-local addresses.
 */
export async function snapshot({
  names = netnsNames(),
  folders = STATE_FOLDERS,
}: View = {}): Promise<string> {
  const namespaces = [namespaceText('host'), ...names.map(name => namespaceText(name, `/run/netns/${name}`))]
  const files = (await Promise.all(folders.map(paths))).flat()
  return [...(await Promise.all(namespaces)), section('files', files), section('records', records())].join(
    '\n',
  )
}

/** The links with their addresses of a named namespace, a line for each and for each of its addresses. */
export async function linksOf(name: string): Promise<string> {
  const links = list(await run('ip', ['-n', name, '-d', '-j', 'addr']))
  return section(name, links.map(linkText).sort())
}

const STORE = '/var/lib/tnet/tnet.db'

/** The keys and values of the store but for cursors, which only ever move on. */
function records(): string[] {
  if (!existsSync(STORE)) return []
  using database = new DatabaseSync(STORE, { readOnly: true })
  const tables = database.prepare("select name from sqlite_schema where type = 'table'").all() as {
    name: string
  }[]
  const rows = tables.flatMap(({ name }) => database.prepare(`select * from "${name}"`).all())
  const texts = rows.map(({ key, value }) => `${String(key)} ${String(value)}`)
  return texts.filter(text => !text.startsWith('cursors/')).sort()
}

const SEPARATOR = '\x1e'
/** What the kernel changes together with forwarding, what a bridge's ports may configure, and what the tests of tuning set. */
const PARAMETERS = [
  ...['ipv4', 'ipv6'].flatMap(family =>
    ['forwarding', 'accept_redirects', 'accept_ra'].map(name => `/proc/sys/net/${family}/conf/*/${name}`),
  ),
  '/proc/sys/net/ipv4/conf/*/arp_filter',
  '/proc/sys/net/core/somaxconn',
]
/** Started programs are what a snapshot costs: few, and the shell's own words where they do. */
const SCRIPT = `
set -e
next() { printf '\\036'; }
ip -d -j -batch - <<END
addr
route show table all
rule
END
ip -6 -j rule
next
nft list ruleset
next
qdiscs=$(tc -d qdisc show)
echo "$qdiscs"
next
# Filters have to be asked for link by link; what ours and the reference's stand in is one of these two.
case $qdiscs in *" ffff: "*)
  echo "$qdiscs" | while read -r _ _ handle _ link _; do
    test "$handle" = ffff: || continue
    for side in ingress egress; do echo "$link $side"; tc -d filter show dev "$link" $side; done
  done
esac
next
ethtool -k '*'
next
# A kernel may have no IPv6.
grep -H . ${PARAMETERS.join(' ')} 2>/dev/null || true
`

async function namespaceText(name: string, netns?: string): Promise<string> {
  const text = await run('sh', ['-c', SCRIPT], { netns })
  const [objects = '', ruleset = '', qdiscs = '', filters = '', features = '', parameters = ''] =
    text.split(SEPARATOR)
  const [links = '', routes = '', ...rules] = objects.split('\n')
  const sections = [
    // By name: what is made again comes last, and is no other for that.
    section('links', list(links).map(linkText).sort()),
    section('routes', list(routes).filter(isOurDoing).map(routeText)),
    section(
      'rules',
      // The first VRF of a namespace brings a rule that the kernel never takes away, nor adds again.
      rules
        .flatMap(list)
        .filter(rule => !('l3mdev' in rule))
        .map(rule => JSON.stringify(rule)),
    ),
    section('nftables', rulesetText(ruleset)),
    section('qdiscs', qdiscTexts(qdiscs)),
    section('filters', filterTexts(filters)),
    section(
      'features',
      featureTexts(
        features,
        list(links)
          .filter(isVeth)
          .map(({ ifname }) => String(ifname)),
      ),
    ),
    section('parameters', parameters.trimEnd().split('\n')),
  ]
  return `namespace ${name}\n${indent(sections.join('\n').split('\n'))}`
}

type Json = Record<string, unknown>

function list(text: string): Json[] {
  return text.trim() === '' ? [] : (JSON.parse(text) as Json[])
}

function section(name: string, lines: string[]): string {
  return `${name}\n${indent(lines)}`
}

function indent(lines: readonly string[]): string {
  return lines.map(line => `  ${line}`).join('\n')
}

const VOLATILE =
  /^(ifindex|link_index|link_netnsid|operstate|.*_timer|promiscuity|allmulti|inet6_addr_gen_mode|.*_max_.*|num_.x_queues|group|qdisc|bridge_id|root_id|.*life_time|stats.*|fdb_n_learned|designated_.*|config_pending|state|root_path_cost|root_port|topology_.*|port)$/

/** A copy without what moves by itself, with sorted keys. */
function steady(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(steady)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value as Json).filter(([key]) => !VOLATILE.test(key))
  return Object.fromEntries(
    kept.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, steady(inner)]),
  )
}

const CARRIER = ['NO-CARRIER', 'LOWER_UP', 'M-DOWN']

function linkText(link: Json): string {
  const flags = (link['flags'] as string[]).filter(flag => !CARRIER.includes(flag))
  const addresses = (link['addr_info'] as Json[])
    .filter(address => address['scope'] !== 'link')
    .map(addressText)
  const { ifname, addr_info: _, ...rest }: Json = { ...link, flags }
  return [`${String(ifname)} ${JSON.stringify(steady(rest))}`, ...addresses].join('\n    ')
}

function addressText(address: Json): string {
  const { tentative: _, dadfailed: __, ...rest } = address
  return JSON.stringify(steady(rest))
}

/** The kernel's own routes: table local mirrors the addresses; those to link-local addresses move with the carrier. */
function isOurDoing(route: Json): boolean {
  return route['table'] !== 'local' && !/^(fe80|ff00)/.test(String(route['dst']))
}

function routeText(route: Json): string {
  const { flags: _, metric: __, pref: ___, ...rest } = route
  return JSON.stringify(steady(rest))
}

function rulesetText(ruleset: string): string[] {
  const counted = ruleset.replace(/counter packets \d+ bytes \d+/g, 'counter')
  const ordered = counted.replace(/elements = \{([^}]*)\}/g, (_, elements: string) => {
    const sorted = elements.split(',').map(element => element.trim())
    return `elements = { ${sorted.sort().join(', ')} }`
  })
  return ordered.split('\n').filter(line => line.trim() !== '')
}

/** Those that somebody chose: the kernel's own have no handle. */
function qdiscTexts(text: string): string[] {
  return text
    .split('\n')
    .filter(line => line !== '' && !/^qdisc \S+ 0:/.test(line))
    .map(line => line.replace(/ refcnt \d+/, ''))
    .sort()
}

function filterTexts(text: string): string[] {
  const isText = (line: string) => /\S/.test(line) && !/^\s+index \d+ ref/.test(line)
  return text.split('\n').filter(isText)
}

function isVeth({ linkinfo }: Json): boolean {
  return (linkinfo as Json | undefined)?.['info_kind'] === 'veth'
}

/** Of what has features of its own: those of a bridge come and go with its ports. A line for each link. */
function featureTexts(text: string, links: readonly string[]): string[] {
  const sections = text.split(/^Features for /m).map(each =>
    each
      .trim()
      .split(/\s*\n\s*/)
      .join(' '),
  )
  return sections.filter(each => links.some(link => each.startsWith(`${link}: `))).sort()
}

/** What mount(8), ip(8) and iptables(8) leave, the journal files of SQLite, which come and go with each connection, and our locks. */
const PASSED_BY = /^\/run\/(mount|netns|xtables\.lock|tnet\/locks)$|-(wal|shm|journal)$/

/** Folders of ours that stay once they are there. */
const KEPT = /^\/run\/tnet(\/devices)?$/

/** Paths below `folder` with type and mode. */
async function paths(folder: string): Promise<string[]> {
  const found: string[] = []
  for (const entry of (await readdir(folder)).sort()) {
    const path = join(folder, entry)
    if (PASSED_BY.test(path)) continue
    const status = await lstat(path)
    const mode = (status.mode & 0o7777).toString(8)
    if (status.isSymbolicLink()) found.push(`${path} -> ${(await readlink(path)).split(',').sort().join()}`)
    else if (!KEPT.test(path)) found.push(`${path} ${status.isDirectory() ? 'folder' : 'file'} ${mode}`)
    if (status.isDirectory()) found.push(...(await paths(path)))
  }
  return found
}

/** The last reserved address of a network is no lease; our index of leases may tell of some that are gone. */
export function withoutHistory(snapshot: string): string {
  return snapshot.replace(/.*(last_reserved_ip|\/\.tnet).*\n?/g, '')
}
