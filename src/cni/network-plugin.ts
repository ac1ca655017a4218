// A network driver as a CNI plugin: from a checked request to the calls of the engine.
import type { Driver } from '../drivers/driver.ts'
import { attach } from '../engine/attach.ts'
import { check } from '../engine/check.ts'
import { detach } from '../engine/detach.ts'
import { gc, status } from '../engine/gc.ts'
import { TnetError } from '../errors.ts'
import type { Ipam } from '../ipam/ipam.ts'
import { toldOf } from '../net/leaving-port.ts'
import { Steps } from '../steps.ts'
import { askedMac } from './asked.ts'
import type { Document } from './config.ts'
import { hostOf, leavingSandbox, sandboxOf } from './namespaces.ts'
import { ipamType, knownArguments, openIpam, openIpamLate } from './open-ipam.ts'
import type { AttachmentRequest, Plugin, Request } from './plugin.ts'
import { resultMissing, withDns } from './result.ts'
import { VERSIONS } from './version.ts'

export interface NetworkPlugin<C, O> {
  readonly driver: Driver<C, O>
  readonly document: Document
  /** CNI_ARGS says nothing to it: what stands there is for its IPAM plugin, and unknown to that alone. */
  readonly argumentsAreForIpam?: boolean
  /** Without an `ipam`, its link has the addresses that the plugin before was given; it cannot do without any. */
  readonly addressesOfPrevious?: boolean
  /** What ADD parses, where that is more than the configuration. Throws BAD_CONFIG. */
  added?(request: AttachmentRequest): C
}

export function networkPlugin<C, O>({
  driver,
  document,
  argumentsAreForIpam = false,
  addressesOfPrevious = false,
  added,
}: NetworkPlugin<C, O>): Plugin {
  const networkOf = ({ network: name, config }: Request) => ({ name, options: driver.parse(config as C) })
  const leavingNetworkOf = ({ network: name, config }: Request) => ({
    name,
    options: driver.parseLeaving(config as C),
  })
  return {
    name: driver.name,
    versions: VERSIONS,
    document,

    async add(request, answer) {
      const config = added?.(request) ?? (request.config as C)
      const network = { name: request.network, options: driver.parse(config) }
      const known = knownArguments(request)
      const mac = askedMac(argumentsAreForIpam ? withoutArguments(request) : request, known)
      if (driver.plan?.(network.options).down === true && ipamType(request) !== undefined)
        throw downWithIpam()
      using sandbox = sandboxOf(request)
      using host = hostOf(request)
      await using addresses = await openIpam(request, driver.name, known)
      const ipam = addresses.ipam ?? (addressesOfPrevious ? ipamOfPrevious(request) : undefined)
      await using steps = new Steps(request.log)
      const { owner } = request
      const { requested } = addresses
      const result = await attach({ driver, network, owner, host, sandbox, mac, ipam, requested }, steps)
      await answer(withDns(result, request))
      steps.commit()
    },

    async del(request) {
      using sandbox = leavingSandbox(request)
      using host = hostOf(request)
      await using addresses = await openIpamLate(request, driver.name)
      const { owner, prevResult } = request
      const { ipam } = addresses
      await detach({
        driver,
        network: leavingNetworkOf(request),
        owner,
        host,
        sandbox,
        ipam,
        ...toldOf(owner, prevResult),
        warn: request.warn,
      })
    },

    async check(request) {
      const { owner, prevResult: result } = request
      if (result === undefined) throw resultMissing()
      const network = networkOf(request)
      using sandbox = sandboxOf(request)
      using host = hostOf(request)
      await using addresses = await openIpam(request, driver.name, [])
      await check({ driver, network, owner, host, sandbox, result, ipam: addresses.ipam })
    },

    async gc(request, valid) {
      const network = leavingNetworkOf(request)
      using host = hostOf(request)
      await using addresses = await openIpamLate(request, driver.name)
      await gc({ driver, network, host, ipam: addresses.ipam }, valid, request.warn)
    },

    async status(request) {
      const network = networkOf(request)
      using host = hostOf(request)
      await using addresses = await openIpam(request, driver.name, [])
      await status({ driver, network, host, ipam: addresses.ipam }, request.warn)
    },
  }
}

/** What the plugin before was given, as the address management of this one. */
function ipamOfPrevious({ prevResult }: AttachmentRequest): Ipam {
  if (prevResult === undefined || prevResult.ips.length === 0) {
    throw new TnetError(
      'BAD_CONFIG',
      'ipam: want one, or a prevResult with addresses, got neither',
      'the kernel tells such links apart by their addresses',
    )
  }
  const { ips, routes, dns } = prevResult
  const given = { ips: ips.map(({ address, gateway }) => ({ address, gateway })), routes, dns }
  const nothing = async () => {}
  return { allocate: async () => given, release: nothing, check: nothing, gc: nothing, status: nothing }
}

function withoutArguments(request: Request): Request {
  return { ...request, environment: { ...request.environment, args: '' } }
}

function downWithIpam(): TnetError {
  return new TnetError(
    'BAD_CONFIG',
    'ipam: want none where disableContainerInterface is true, got one',
    'an interface that stays down has no addresses',
  )
}
