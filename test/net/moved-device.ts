import { execFileSync } from 'node:child_process'
import t, { type Test } from 'tap'
import { digest } from '../../src/net/digest.ts'
import { Host } from '../../src/net/host.ts'
import { bringOut, moveIn, putBack, settleMarked } from '../../src/net/moved-device.ts'
import { openSandbox, type Sandbox } from '../../src/net/sandbox.ts'
import type { Link } from '../../src/netlink/route/link.ts'
import { isolated, makeNetns, type Netns } from '../harness/namespaces.ts'

isolated(import.meta)
t.setTimeout(120_000)

const MARK = 'tnet+storage+c1+eth0'
/** What the device is called on its way. */
const PARKED = /^tnet[\da-f]{11}$/

interface Scene {
  readonly host: Host
  readonly sandbox: Sandbox
  readonly netns: Netns
  readonly card: Link
}

function shell(script: string): void {
  execFileSync('sh', ['-ec', script])
}

async function scene(t: Test, play: (scene: Scene) => Promise<void>): Promise<void> {
  await using netns = await makeNetns()
  using host = new Host({ runDir: '/run/tnet' })
  using sandbox = openSandbox(netns.path)
  shell('ip link add card type veth peer name plug; ip link set card up alias rack')
  t.teardown(() => shell('ip link del plug 2>/dev/null || true'))
  await play({ host, sandbox, netns, card: await host.links.existing('card') })
}

const names = async ({ links }: { readonly links: Host['links'] }) =>
  (await links.list()).map(({ name }) => name).sort()
const isOwn = (mark: string) => mark === MARK

/** Name, alias, alternative names, up. */
async function facts({ host }: Scene, name: string): Promise<unknown[]> {
  const { alias, alternativeNames, flags } = await host.links.existing(name)
  return [alias, alternativeNames?.names, flags.has('up')]
}

t.test('the name is taken in the sandbox: the kernel moves it all the same', t =>
  scene(t, async all => {
    const { host, sandbox, netns, card } = all
    await netns.run('ip', 'link', 'add', 'eth0', 'type', 'bridge')
    await t.rejects(moveIn(host, sandbox, { link: card, mark: MARK, ifname: 'eth0' }), { code: 'EEXIST' })
    t.strictSame(await names(sandbox), ['card', 'eth0', 'lo'])
    shell(`ip link add another index ${card.index} type bridge`) // it comes back under another one
    t.teardown(() => shell('ip link del another'))
    await putBack(host, sandbox, { before: { link: card, addresses: [] }, mark: MARK })
    t.strictSame(await facts(all, 'card'), ['rack', undefined, true], 'as it was')
  }),
)

t.test('a device that was marked, and not moved: its own alias is no name for it', t =>
  scene(t, async all => {
    const { host, sandbox, card } = all
    await putBack(host, sandbox, { before: { link: card, addresses: [] }, mark: MARK })
    t.strictSame(await facts(all, 'card'), ['rack', undefined, true])
    shell(`ip link set card alias card; ip link property add dev card altname ${MARK}`)
    await settleMarked(host, isOwn, () => {})
    t.strictSame(await facts(all, 'card'), [undefined, undefined, true], 'it stays up')
  }),
)

t.test('the host never has a link that is called as in the sandbox', t =>
  scene(t, async all => {
    const { host, sandbox, card } = all
    await moveIn(host, sandbox, { link: card, mark: MARK, ifname: 'eth0' })
    shell('ip link add card type bridge')
    t.teardown(() => shell('ip link del card'))
    const link = await sandbox.links.existing('eth0')
    await bringOut(sandbox, host, { link, mark: MARK })
    const [back = ''] = (await names(host)).filter(name => name?.startsWith('tnet'))
    t.match(back, PARKED)
    t.notOk((await names(host)).includes('eth0'))
    const said: string[] = []
    await settleMarked(host, isOwn, line => said.push(line))
    t.strictSame(await facts(all, back), [undefined, undefined, false])
    t.match(said.join(), new RegExp(` is back as ${back}$`))
  }),
)

t.test('every name is taken on the host, and an alternative one', t =>
  scene(t, async ({ host, sandbox, netns, card }) => {
    await moveIn(host, sandbox, { link: card, mark: MARK, ifname: 'eth0' })
    await netns.run('ip', 'link', 'property', 'add', 'dev', 'eth0', 'altname', 'enp5s0')
    const parked = `tnet${digest(MARK).slice(0, 11)}`
    shell(`ip link add card type bridge; ip link add ${parked} type bridge
      ip link property add dev ${parked} altname enp5s0; ip link add tnet0 type bridge`)
    t.teardown(() => shell(`ip link del card; ip link del ${parked}; ip link del tnet0`))
    await bringOut(sandbox, host, { link: await sandbox.links.existing('eth0'), mark: MARK })
    t.strictSame(await names(sandbox), ['lo'])
    const said: string[] = []
    await settleMarked(host, isOwn, line => said.push(line))
    const [, name = ''] = / is back as (tnet[1-9])$/.exec(said.join()) ?? []
    const back = await host.links.existing(name)
    t.strictSame([back.address, back.alternativeNames?.names], [card.address, undefined])
  }),
)

t.test('the kernel brought it back under the name in the sandbox, and its own is taken', t =>
  scene(t, async all => {
    const { host } = all
    shell(
      `ip link set card down; ip link set card name eth0 alias plug; ip link property add dev eth0 altname ${MARK}`,
    )
    await settleMarked(host, isOwn, () => {})
    t.strictSame(await names(host), ['lo', 'plug', 'tnet0'])
  }),
)

t.test('a device that is gone', t =>
  scene(t, async ({ host, sandbox, card }) => {
    await moveIn(host, sandbox, { link: card, mark: MARK, ifname: 'eth0' })
    const link = await sandbox.links.existing('eth0')
    await sandbox.links.remove({ name: 'eth0' })
    await bringOut(sandbox, host, { link, mark: MARK })
    await putBack(host, sandbox, { before: { link: card, addresses: [] }, mark: MARK })
    t.strictSame(await names(host), ['lo'])
  }),
)
