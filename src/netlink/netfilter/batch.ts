// Transactions: several changes of the ruleset, of which the kernel makes all or none.
import { errnoCode } from '../../errors.ts'
import { attributes } from '../../wire/attributes.ts'
import { be32 } from '../../wire/codec.ts'
import { type Message, message, NLM_F_ACK, NLMSG_ERROR } from '../../wire/message.ts'
import type { NetlinkError } from '../error.ts'
import { type NetlinkSocket, refusal, type Request, request, type Sent } from '../socket.ts'
import { nfgenmsg, NFNL_SUBSYS_NFTABLES } from './message.ts'

/** NFNL_BATCH_GENID */
const batchAttributes = attributes({ generation: [1, be32] })

export const batchBegin = message('NFNL_MSG_BATCH_BEGIN', 0x10, nfgenmsg, batchAttributes)
export const batchEnd = message('NFNL_MSG_BATCH_END', 0x11, nfgenmsg, batchAttributes)

/** A request that the kernel refused; then nothing of the batch was done. */
export interface Failure {
  /** Its place among the requests; -1 where the kernel refused the batch as a whole. */
  readonly index: number
  readonly error: NetlinkError
}

export interface BatchOptions {
  /**
   * The generation of the ruleset that the requests were made for. Where it has changed since, nothing is done and the
   * error is ERESTART.
   */
  readonly generation?: number | undefined
}

/** Makes all changes in one transaction. Throws the first NetlinkError; then nothing was changed. */
export async function batch(
  socket: NetlinkSocket,
  requests: readonly Request[],
  options: BatchOptions = {},
): Promise<void> {
  const [first] = await attemptBatch(socket, requests, options)
  if (first !== undefined) throw first.error
}

/** As `batch`, but answers with all that the kernel refused, in the order of the requests; with none, it is done. */
export async function attemptBatch(
  socket: NetlinkSocket,
  requests: readonly Request[],
  { generation }: BatchOptions = {},
): Promise<Failure[]> {
  if (requests.length === 0) return []
  const frame = { resourceId: NFNL_SUBSYS_NFTABLES }
  const last = requests.length - 1
  // Only the last is acknowledged: as many acknowledgements as requests would not fit into the socket's buffer.
  const whole = [
    request(batchBegin, { ...frame, generation }),
    ...requests.map((one, index) => (index === last ? { ...one, flags: one.flags | NLM_F_ACK } : one)),
    request(batchEnd, frame),
  ]
  return refusals(socket, whole, socket.send(whole))
}

/**
 * The kernel has worked the batch off before `send` returns, and its answers are waiting: the refusals in the order of
 * the requests, the acknowledgement of the last among them. A refusal of the whole answers the first message.
 */
function refusals(socket: NetlinkSocket, requests: readonly Request[], sent: Sent): Failure[] {
  const failures: Failure[] = []
  const last = requests.length - 2
  for (const message of answers(socket)) {
    const index = message.sequence - sent.first
    const one = requests[index]
    if (one === undefined || message.type !== NLMSG_ERROR) continue
    const error = refusal(one.type, message, sent.bytes.subarray(sent.starts[index], sent.starts[index + 1]))
    if (error !== undefined) failures.push({ index: index - 1, error })
    if (index === last || (index === 0 && error !== undefined)) break
  }
  return failures
}

/** Messages, one by one. Thousands of refusals overflow the socket's buffer: then as many as it held. */
function* answers(socket: NetlinkSocket): Generator<Message> {
  let overflow: unknown
  let told = false
  try {
    for (;;) {
      try {
        yield* socket.receive()
        told = true
      } catch (error) {
        const code = errnoCode(error)
        if (code === 'EAGAIN' && overflow !== undefined && told) return
        if (code !== 'ENOBUFS') throw overflow ?? error
        overflow = error
        socket.timeout(1)
      }
    }
  } finally {
    if (overflow !== undefined) socket.timeout()
  }
}
