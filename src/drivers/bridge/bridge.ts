// Bridge networks: a veth pair for each sandbox, its host's end a port of a bridge.
import { errnoCode, TnetError } from '../../errors.ts'
import type { Host } from '../../net/host.ts'
import { randomMac } from '../../net/mac.ts'
import { addVeth } from '../../net/veth.ts'
import type { Link } from '../../netlink/route/link.ts'
import { sweep, type Steps } from '../../steps.ts'
import type { Driver } from '../driver.ts'
import { waitUntilOperational } from '../ready.ts'
import { acceptNoAdvertisements } from '../routing.ts'
import { check } from './check.ts'
import { detach } from './detach.ts'
import { gc } from './gc.ts'
import { assignGateways, connectGateways } from './gateway.ts'
import { isolate, unisolateGone } from './isolation.ts'
import { openBridge, wantsVlans } from './link.ts'
import { type BridgeConfig, type BridgeOptions, parseBridge, parseLeavingBridge } from './options.ts'
import { status } from './status.ts'
import { setPortVlans } from './vlan.ts'
import { closeVlanGateway } from './vlan-gateway.ts'

export const bridge: Driver<BridgeConfig, BridgeOptions> = {
  name: 'bridge',
  parse: parseBridge,
  parseLeaving: parseLeavingBridge,

  async attach({ options }, { owner, sandbox, mac = randomMac() }, host, steps) {
    const hostMac = randomMac()
    // Undone after the port is gone: as long as it is there, the gateway is in use.
    await steps.attempt(`use ${options.bridge}`, noop, () =>
      sweep([() => closeVlanGateway(options, host), () => unisolateGone(options, host)]),
    )
    const { link, made: name } = await onBridge(options, host, steps, async bridge => {
      await isolate(options, bridge, host, steps)
      return steps.step(
        `attach ${owner.ifname} to ${options.bridge}`,
        () =>
          addVeth(host, sandbox, {
            owner,
            mac,
            hostMac,
            mtu: options.mtu,
            master: bridge.index,
            port: portInfo(options),
          }),
        name => host.links.remove({ name }),
      )
    })
    await acceptNoAdvertisements(name, host)
    if (wantsVlans(options)) {
      await steps.step(`set VLANs of ${name}`, () => setPortVlans(name, link.index, options, host))
    }
    if (options.spoofCheck) {
      await steps.step(
        `check source addresses on ${name}`,
        async () => (await host.firewall()).spoofCheck(owner, { ifname: name, mac }),
        async () => (await host.firewall()).unspoofCheck(owner, name),
      )
    }
    const { index, mtu } = await sandbox.links.existing(owner.ifname)
    return {
      index,
      interfaces: [
        { name: options.bridge, mac: link.address ?? '', mtu: link.mtu },
        { name, mac: hostMac, mtu },
        { name: owner.ifname, mac, mtu, sandbox: sandbox.path },
      ],
      connect: (addresses, steps) => connectGateways({ link, options, owner, addresses }, host, steps),
      ready: async () => (options.containerDown ? undefined : waitUntilOperational(name, host)),
    }
  },

  assign: assignGateways,
  plan: options => ({
    duplicateAddressDetection: options.duplicateAddressDetection,
    down: options.containerDown,
  }),
  detach,
  check,
  gc,
  status,
}

/** How often a bridge may go before that is no coincidence any more. */
const ATTEMPTS = 5

/** Somebody may remove the bridge between our look at it and our use of it; the undo of another attachment waits. */
async function onBridge<T>(
  options: BridgeOptions,
  host: Host,
  steps: Steps,
  use: (bridge: Link) => Promise<T>,
): Promise<{ link: Link; made: T }> {
  for (let attempt = 1; ; attempt++) {
    using _turn = await host.turn('shared')
    let link: Link | undefined
    try {
      link = await openBridge(options, host, steps)
      return { link, made: await use(link) }
    } catch (error) {
      const isGone = link === undefined ? isOfGone(error) : (await host.links.get(link.index)) === undefined
      if (!isGone || attempt === ATTEMPTS) throw error
    }
  }
}

function isOfGone(error: unknown): boolean {
  if (!(error instanceof TnetError)) return false
  return error.code === 'TRY_AGAIN' || errnoCode(error.cause) === 'ENODEV'
}

function noop(): void {}

function portInfo({ hairpin, isolated }: BridgeOptions) {
  if (!hairpin && !isolated) return undefined
  return {
    portKind: 'bridge' as const,
    portData: { ...(hairpin ? { hairpin } : {}), ...(isolated ? { isolated } : {}) },
  }
}
