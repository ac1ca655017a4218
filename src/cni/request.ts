// From the environment and standard input to a checked request; the order of the checks is that of the reference.
import { asTnetError, TnetError } from '../errors.ts'
import type { Attached } from '../net/owner.ts'
import type { AttachResult } from '../net/result.ts'
import type { Log } from '../steps.ts'
import { conform, type Conformed, conformWhatCan, type Document } from './config.ts'
import type { Command } from './environment.ts'
import { validate as validateGc } from './generated/gc.js'
import { isObject, type Json, type JsonObject } from './json.ts'
import type { AttachmentRequest, Plugin, Request } from './plugin.ts'
import { readResult } from './result.ts'
import { gc } from './schemas/gc.ts'
import { negotiate, type Version } from './version.ts'

/** A name of a folder: leases are kept under it. */
const NAME_BYTES = 255
const LIST =
  '"plugins": this is a list for a runtime; a plugin takes one of its entries, with the name and cniVersion of the list'

/** What else is wrong, DEL leaves out: it must remove what an earlier version of the configuration made. */
export const NEEDED_TO_REMOVE = [
  'name',
  'cniVersion',
  'ipam',
  'ipam.type',
  'ipam.dataDir',
  'ipam.network',
] as const

/** A call before its configuration has been looked at. */
export type Input = Omit<Request, 'version' | 'network' | 'config'>

export type Header = Pick<Request, 'version' | 'network'>

/** The name and the version of a configuration. Throws TnetError BAD_JSON, BAD_CONFIG, INCOMPATIBLE_VERSION. */
export function header(raw: JsonObject, supported: readonly Version[], command: Command): Header {
  const network = word(raw, 'name')
  if (network === '') throw new TnetError('BAD_CONFIG', 'missing network name')
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(network)) {
    throw new TnetError('BAD_CONFIG', 'invalid characters found in network name', network)
  }
  if (network.length > NAME_BYTES && command !== 'DEL') {
    throw new TnetError('BAD_CONFIG', `network name: want at most ${NAME_BYTES} bytes, got ${network.length}`)
  }
  return { network, version: negotiate(word(raw, 'cniVersion'), supported, command) }
}

function word(raw: JsonObject, key: string): string {
  const value = keyed(raw, key)
  if (value === undefined || value === null) return ''
  if (typeof value !== 'string')
    throw new TnetError('BAD_JSON', `${key}: want a text, got ${JSON.stringify(value)}`)
  return value
}

/** The value of a key in whatever case; of several the last one that is not null. */
function keyed(raw: JsonObject, key: string): Json | undefined {
  const folded = key.toLowerCase()
  const values = Object.entries(raw).filter(([name]) => name.toLowerCase() === folded)
  return (values.findLast(([, value]) => value !== null) ?? values.at(-1))?.[1]
}

export function request(plugin: Plugin, input: Input, head: Header): Request {
  const { config, hints } = fitting(plugin.document, input)
  for (const hint of hints) input.warn(hint)
  if (keyed(input.raw, 'plugins') !== undefined) input.warn(LIST)
  return { ...input, ...head, config }
}

/** The configuration as `document` has it, as exactly as the verb needs. Throws TnetError BAD_CONFIG. */
export function fitting(
  document: Document,
  { raw, environment: { command } }: Pick<Request, 'raw' | 'environment'>,
): Conformed {
  return command === 'DEL' ? conformWhatCan(document, raw, NEEDED_TO_REMOVE) : conform(document, raw)
}

export function attachmentRequest(plugin: Plugin, input: Input, head: Header): AttachmentRequest {
  const checked = request(plugin, input, head)
  const { containerId, ifname, command } = checked.environment
  const owner = { network: checked.network, containerId, ifname }
  return { ...checked, owner, prevResult: previous(checked.config, command, checked.warn) }
}

/** A result that cannot be read is none to DEL, which removes what it finds without one. */
function previous(config: JsonObject, command: Command, warn: Log): AttachResult | undefined {
  const { prevResult } = config
  if (!isObject(prevResult)) return undefined
  try {
    return readResult(prevResult, 'prevResult')
  } catch (error) {
    if (command !== 'DEL') throw error
    warn(`ignored: ${asTnetError(error).message}`)
    return undefined
  }
}

/**
 * The attachments that GC must keep. Throws BAD_CONFIG where the key is absent: that a caller knows nothing of GC's
 * list must not remove everything. Null and an empty list do say that nothing is valid.
 */
export function validAttachments(raw: JsonObject): readonly Attached[] {
  const key = 'cni.dev/valid-attachments'
  if (keyed(raw, key) === undefined) {
    throw new TnetError(
      'BAD_CONFIG',
      `${key}: want the list of attachments to keep, got nothing`,
      'an empty list removes all',
    )
  }
  const { config } = conform({ schema: gc, validate: validateGc }, raw)
  const list = (config[key] ?? []) as unknown as readonly { containerID: string; ifname: string }[]
  return list.map(({ containerID, ifname }) => ({ containerId: containerID, ifname }))
}
