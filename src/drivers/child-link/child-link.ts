// Networks whose sandboxes have a link made directly inside them: on a link of the host, or on none. Each kind is a row.
import { unwanted } from '../../errors.ts'
import { addChildLink } from '../../net/child-link.ts'
import type { Host } from '../../net/host.ts'
import type { Owner } from '../../net/owner.ts'
import type { Sandbox } from '../../net/sandbox.ts'
import type { Link } from '../../netlink/route/link.ts'
import type { Steps } from '../../steps.ts'
import type { Driver } from '../driver.ts'
import { check } from './check.ts'
import { detach } from './detach.ts'
import { gc } from './gc.ts'
import { closeHostAccess, openHostAccess } from './host-access.ts'
import { checkedMaster, findMaster } from './master.ts'
import { type ChildConfig, type ChildKind, type ChildOptions, optionsOf, parseChild } from './options.ts'
import { status } from './status.ts'
import { isUsedBy, openVlan, releaseVlan, vlanOf } from './vlan-master.ts'

export function childLink<C extends ChildConfig>(kind: ChildKind<C>): Driver<C, ChildOptions> {
  return {
    name: kind.name,
    parse: config => parseChild(kind, config),
    parseLeaving: config => optionsOf(kind, config),

    async attach({ options }, { owner, sandbox, mac }, host, steps) {
      const master = await openMaster(options, { owner, sandbox }, host, steps)
      if (mac !== undefined) refuseForeignMac(options, mac, master)
      const link = await steps.step(
        `add ${kind.name} ${owner.ifname}${master === undefined ? '' : ` on ${master.name}`}`,
        () =>
          addChildLink(options.inSandbox ? sandbox : host, sandbox, {
            owner,
            lower: master?.index,
            linkInfo: { kind: kind.name, data: options.data },
            mtu: options.mtu,
            mac: kind.hasMac ? mac : undefined,
          }),
        ({ index }) => sandbox.links.remove({ index }),
      )
      const { index, mtu, address } = link
      return {
        index,
        interfaces: [{ name: owner.ifname, mac: address ?? '', mtu, sandbox: sandbox.path }],
        async connect(addresses, steps) {
          if (!options.hostAccess || master === undefined || addresses.length === 0) return []
          await steps.step('end access from the host', noop, () => closeHostAccess(owner, host))
          await openHostAccess({ owner, master, sandbox, index, addresses }, host, steps)
          return []
        },
      }
    },

    plan: ({ duplicateAddressDetection }) => ({ duplicateAddressDetection, down: false }),
    detach,
    check,
    gc,
    status,
  }
}

/** The link below; undefined for a kind that has none. */
async function openMaster(
  options: ChildOptions,
  { owner, sandbox }: { readonly owner: Owner; readonly sandbox: Sandbox },
  host: Host,
  steps: Steps,
): Promise<Link | undefined> {
  if (options.on === 'nothing') return undefined
  const vlan = vlanOf(options)
  if (vlan === undefined) return findMaster(options, options.inSandbox ? sandbox : host)
  // Undone also where it was made by half, and after the link on it is gone; but not what an earlier ADD has made.
  const before = await host.links.get(vlan.name)
  if (before === undefined || !isUsedBy(before, owner)) {
    await steps.step(`use ${vlan.name}`, noop, () => releaseVlan(vlan.name, owner, host))
  }
  const link = await openVlan(vlan, owner, host)
  return checkedMaster(link ?? (await findMaster(options, host)), options)
}

function noop(): void {}

/** The kernel gives a macvlan in the mode passthru the address of its master, whatever it is asked for. */
function refuseForeignMac({ data }: ChildOptions, mac: string, master: Link | undefined): void {
  if (!('mode' in data) || data.mode !== 'passthru' || mac === master?.address) return
  throw unwanted('mac', `${master?.address}, that of the master, in the mode passthru`, mac)
}
