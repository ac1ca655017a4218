// Finds single elements of sets, together with the generation of the ruleset that they were seen in.
import { NLMSG_ERROR } from '../../wire/message.ts'
import { type NetlinkSocket, refusal, request } from '../socket.ts'
import { type Element, type ElementsRequest, getElement, newElement } from './element.ts'
import { getGeneration, newGeneration } from './generation.ts'

export interface Found {
  readonly generation: number
  /** Undefined where the element, its set or its table does not exist. */
  readonly elements: readonly (Element | undefined)[]
}

/** Answers wait in the socket's buffer, which holds some two hundred. */
const TOGETHER = 128

/**
 * Looks up one element for each of `wanted`, up to 128 of them in one system call. A batch with the `generation` of the
 * answer is refused where the ruleset has changed since: so that what was seen is what gets removed.
 * Throws NetlinkError.
 */
export async function findElements(
  socket: NetlinkSocket,
  wanted: readonly ElementsRequest[],
): Promise<Found> {
  const { generation, elements } = find(socket, wanted.slice(0, TOGETHER))
  const found = [...elements]
  for (let start = TOGETHER; start < wanted.length; start += TOGETHER) {
    found.push(...find(socket, wanted.slice(start, start + TOGETHER)).elements)
  }
  return { generation, elements: found }
}

function find(socket: NetlinkSocket, wanted: readonly ElementsRequest[]): Found {
  const requests = [request(getGeneration, {}), ...wanted.map(value => request(getElement, value))]
  const sent = socket.send(requests)
  const elements: (Element | undefined)[] = Array(wanted.length).fill(undefined)
  let generation = 0
  for (let missing = requests.length; missing > 0;) {
    for (const message of socket.receive()) {
      const index = message.sequence - sent.first
      const one = requests[index]
      if (one === undefined) continue
      missing--
      if (message.type === newGeneration.type) generation = newGeneration.decode(message.payload).id ?? 0
      if (message.type === newElement.type) {
        elements[index - 1] = newElement.decode(message.payload).elements?.[0]
      }
      if (message.type !== NLMSG_ERROR) continue
      const error = refusal(
        one.type,
        message,
        sent.bytes.subarray(sent.starts[index], sent.starts[index + 1]),
      )
      if (error !== undefined && error.code !== 'ENOENT') throw error
    }
  }
  return { generation, elements }
}
