// host-device networks: a device that the host has, such as a network card, lives in the sandbox until DEL.
import { TnetError } from '../../errors.ts'
import { markOf, marksOf, networkMark, originalName } from '../../net/device-mark.ts'
import { DeviceRecords } from '../../net/device-records.ts'
import type { Host } from '../../net/host.ts'
import { isAsTold, type LeavingPort } from '../../net/leaving-port.ts'
import { bringOut, moveIn, putBack, settleMarked } from '../../net/moved-device.ts'
import type { Interface } from '../../net/result.ts'
import { refuseExisting } from '../../net/sandbox-link.ts'
import type { Link } from '../../netlink/route/link.ts'
import { type Log, sweep } from '../../steps.ts'
import type { Driver } from '../driver.ts'
import { check } from './check.ts'
import { findDevice, mayBe, meant, programsDriver } from './find.ts'
import {
  chosen,
  type HostDeviceConfig,
  type HostDeviceOptions,
  parse,
  parseLeaving,
  type Selector,
} from './options.ts'

/** One at a time chooses a device, marks it and moves it: a mark that another finds on the host is a dead one's. */
const LOCK = 'host-device'

export const hostDevice: Driver<HostDeviceConfig, HostDeviceOptions> = {
  name: 'host-device',
  parse,
  parseLeaving,

  async attach({ options }, { owner, sandbox }, host, steps) {
    await refuseExisting(owner, sandbox)
    const selector = chosen(options)
    if (programsDriver(selector) !== undefined) return { index: undefined, interfaces: [] }
    const { ifname } = owner
    const mark = markOf(owner)
    using _lock = await host.lock(LOCK)
    const isMeant = meant(selector)
    await settleMarked(
      host,
      (each, link) => each === mark || isMeant(link),
      () => {},
    )
    const link = await findDevice(selector, host)
    refuseOwnName(link, ifname)
    const records = new DeviceRecords(host.runDir)
    const before = { link, addresses: await host.addresses.list(link.index) }
    await steps.attempt(
      `move ${link.name} into ${sandbox.path}`,
      () => {
        records.write(mark, link)
        return moveIn(host, sandbox, { link, mark, ifname })
      },
      async () => {
        await putBack(host, sandbox, { before, mark })
        records.remove(mark)
      },
    )
    const { index, mtu, address: mac = '' } = await sandbox.links.existing(ifname)
    const pciID = pciAddress(link, selector)
    const told: Interface = { name: ifname, mac, mtu, sandbox: sandbox.path, pciID }
    return { index, interfaces: [told] }
  },

  plan: ({ duplicateAddressDetection }) => ({ duplicateAddressDetection, down: false }),

  async detach({ options }, port, host, warn) {
    const mark = markOf(port.owner)
    await giveBack(host, port, { mark, selector: options.selector, warn })
  },

  check,

  async gc({ name }, valid, host, warn) {
    const kept = new Set(valid.map(attached => markOf({ network: name, ...attached })))
    const isStale = (mark: string) => mark.startsWith(networkMark(name)) && !kept.has(mark)
    const records = new DeviceRecords(host.runDir)
    await sweep([() => bringAllOut(isStale, records, host), () => settleMarked(host, isStale, warn)])
    for (const mark of records.marks().filter(isStale)) forgetUnlessComing(records, mark)
  },

  async status({ options: { selector } }, host, warn) {
    // Without one, every ADD brings its own.
    if (selector === undefined || programsDriver(selector) !== undefined) return
    try {
      await findDevice(selector, host)
    } catch (error) {
      if (!(error instanceof TnetError)) throw error
      // That is what the network is for; its next ADD comes after a DEL.
      if (error.code === 'IN_USE') return warn(error.message)
      throw new TnetError('UNAVAILABLE', error.message, error.details, { cause: error })
    }
  },
}

interface Leaving {
  readonly mark: string
  readonly selector: Selector | undefined
  readonly warn: Log
}

async function giveBack(host: Host, port: LeavingPort, { mark, selector, warn }: Leaving): Promise<void> {
  const { sandbox } = port
  const records = new DeviceRecords(host.runDir)
  const record = records.get(mark)
  const own: Link[] = []
  for (const link of (await sandbox?.links.list()) ?? []) {
    const isMarked = marksOf(link).includes(mark)
    if (record?.isOf(link) === false || (!isMarked && !isMovedByAnother(link, port))) continue
    const isRecorded = isMarked && record !== undefined
    if (isRecorded || (await isOwners(link, port, selector))) own.push(link)
  }
  await sweep([
    ...own.map(link => async () => {
      if (sandbox !== undefined) await bringOut(sandbox, host, { link, mark })
    }),
    async () => {
      // Where nobody says which sandbox it is in, or the path leads to another by now, it may be in one all the same.
      if (own.length === 0 && record !== undefined) await bringAllOut(each => each === mark, records, host)
    },
    // Also what the kernel brought back when the sandbox ended, and what a death has left on the host.
    () => settleMarked(host, each => each === mark, warn),
  ])
  forgetUnlessComing(records, mark)
}

/** The kernel takes a namespace down when it has time: a card that is in none may be on its way back. */
function forgetUnlessComing(records: DeviceRecords, mark: string): void {
  if (records.get(mark)?.isCard !== true) records.remove(mark)
}

/** Out of all sandboxes that can be reached. */
async function bringAllOut(
  isToGo: (mark: string) => boolean,
  records: DeviceRecords,
  host: Host,
): Promise<void> {
  const { inReachable } = await import('../../net/reachable-links.ts') // it reads all of /proc
  await inReachable(async (stack, { own }) => {
    if (own) return
    const links = await stack.links.list()
    const marked = links.flatMap(link => marksOf(link).map(mark => ({ link, mark })))
    const toGo = marked.filter(({ link, mark }) => isToGo(mark) && records.get(mark)?.isOf(link) === true)
    await sweep(toGo.map(each => () => bringOut(stack, host, each)))
  })
}

/** Whether another implementation may have moved the device: all that it leaves is the alias. */
function isMovedByAnother(link: Link, { owner: { ifname } }: LeavingPort): boolean {
  return link.name === ifname && marksOf(link).length === 0 && originalName(link) !== undefined
}

/** By ADD's answer; where that is not known, by the configuration. */
async function isOwners(link: Link, port: LeavingPort, selector: Selector | undefined): Promise<boolean> {
  const { mac, addresses = [], sandbox } = port
  const isKnown = mac !== undefined || addresses.length > 0
  if (!isKnown) return selector === undefined || mayBe(selector, link)
  return sandbox !== undefined && isAsTold(link, sandbox, port)
}

/** The kernel renames no device to what is an alternative name of its own, and says so only after it has moved it. */
function refuseOwnName({ name, alternativeNames }: Link, ifname: string): void {
  if (alternativeNames?.names?.includes(ifname) !== true) return
  throw new TnetError(
    'EXISTS',
    `${ifname} is an alternative name of ${name}`,
    `ask for another interface name, or first: ip link property del dev ${name} altname ${ifname}`,
  )
}

function pciAddress({ parentBus, parentDevice }: Link, { by, value }: Selector): string | undefined {
  if (by === 'pciBusID') return value
  return parentBus === 'pci' ? parentDevice : undefined
}
