// Ports of bridges that frames go to and come from by way of the bridge itself alone: rules about what is routed never
// see what a bridge passes on.
import type { Element } from '../../netlink/netfilter/element.ts'
import { encodeKey } from '../../netlink/netfilter/data-type.ts'
import type { Isolation } from '../admission.ts'
import { bridgePlan } from './bridge-table.ts'
import { at, put } from './elements.ts'
import type { Member } from './members.ts'
import { clear, type LateSocket } from './owned.ts'
import { BRIDGE, type Plan } from './tables.ts'

const SET = 'isolated'
export const ISOLATING_PLAN: Plan = bridgePlan(true)

/** What has to stand for a container whose owner's tag is `comment`. */
export function isolatedPort(comment: string, isolation: Isolation | undefined): Member[] {
  if (isolation?.policy !== 'isolated') return []
  const { port } = isolation
  return [{ table: BRIDGE, set: SET, key: encodeKey(['ifname'], [port]), name: port, comment }]
}

export async function isolatePort(
  { socket }: LateSocket,
  tag: string,
  isolation: Isolation | undefined,
): Promise<void> {
  const members = isolatedPort(tag, isolation)
  if (members.length > 0) await put(socket, { plan: ISOLATING_PLAN, members, inTheWay: at(members) })
}

export async function releasePorts(late: LateSocket, wanted: (element: Element) => boolean): Promise<void> {
  await clear(late, BRIDGE, { isOne: name => name === SET, wanted })
}
