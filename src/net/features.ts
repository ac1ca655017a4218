// What a link does in place of the kernel, or the kernel in place of a link, and may be told not to: `ethtool -k`.
import { absentIsFine } from '../errors.ts'
import type { Bitset } from '../netlink/generic/bitset.ts'
import { familyOf } from '../netlink/generic/controller.ts'
import { ETHTOOL, ethtoolMessages } from '../netlink/generic/ethtool.ts'
import type { NetlinkSocket } from '../netlink/socket.ts'

export interface Feature {
  readonly isOn: boolean
  /** What it was asked to be; it may be off all the same, where another one that it needs is off. */
  readonly isWanted: boolean
  /** Others are as the device has them. */
  readonly isChangeable: boolean
}

type Socket = Pick<NetlinkSocket, 'get'>
type Messages = ReturnType<typeof ethtoolMessages>

export class Features {
  readonly #socket: Socket
  #messages: Messages | undefined

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /**
   * All that the kernel knows, by their names, for the link with this index; undefined where the kernel cannot be asked:
   * before Linux 5.7, or without CONFIG_ETHTOOL_NETLINK. Throws ENODEV.
   */
  async get(index: number): Promise<ReadonlyMap<string, Feature> | undefined> {
    const answer = await absentIsFine(['ENOENT', 'EOPNOTSUPP'], async () => {
      const { getFeatures, getFeaturesReply } = await this.#family()
      return this.#socket.get(getFeatures, { header: { index } }, getFeaturesReply)
    })
    if (answer === undefined) return undefined
    const [wanted, active, fixed] = [answer.wanted, answer.active, answer.fixed].map(setIn)
    const features = (answer.hardware?.bits ?? []).map(({ name = '', value = false }): [string, Feature] => [
      name,
      {
        isOn: active?.has(name) === true,
        isWanted: wanted?.has(name) === true,
        isChangeable: value && fixed?.has(name) !== true,
      },
    ])
    return new Map(features.filter(([name]) => name !== '')) // the kernel has bits without a name
  }

  /**
   * Asks for these to be on or off, all or none; answers which of them are not. Throws EOPNOTSUPP where the kernel has
   * no feature of such a name, ENODEV.
   */
  async set(index: number, features: Readonly<Record<string, boolean>>): Promise<ReadonlySet<string>> {
    const { setFeatures, setFeaturesReply } = await this.#family()
    const bits = Object.entries(features).map(([name, isOn]) => ({
      name,
      value: isOn ? (true as const) : undefined,
    }))
    const request = { header: { index }, wanted: { bits } } as const
    const answer = await this.#socket.get(setFeatures, request, setFeaturesReply)
    return new Set((answer.wanted?.bits ?? []).map(({ name = '' }) => name))
  }

  /** The kernel gives the family its number when it starts. */
  async #family(): Promise<Messages> {
    this.#messages ??= ethtoolMessages((await familyOf(this.#socket, ETHTOOL)).id)
    return this.#messages
  }
}

function setIn(bitset: Bitset | undefined): ReadonlySet<string> {
  const set = (bitset?.bits ?? []).filter(({ value }) => value === true || bitset?.isList === true)
  return new Set(set.map(({ name = '' }) => name))
}
