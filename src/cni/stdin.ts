// The configuration as it arrives: bytes on standard input, at most 1 MiB, an object in JSON.
import { TnetError } from '../errors.ts'
import { isObject, type JsonObject, parseJson } from './json.ts'

export const MAX_CONFIG_BYTES = 1024 * 1024

/** Reads at most so many bytes; fewer only at the end. */
export type ReadInput = (limit: number) => Promise<Uint8Array>

/** The bytes, as they go to other plugins, and what they say. Throws TnetError IO, BAD_JSON. */
export async function readConfig(read: ReadInput): Promise<{ stdin: Uint8Array; raw: JsonObject }> {
  const stdin = await bytes(read)
  if (stdin.length > MAX_CONFIG_BYTES) {
    throw new TnetError('BAD_JSON', `read network configuration: more than ${MAX_CONFIG_BYTES} bytes`)
  }
  const raw = parseJson(new TextDecoder('utf-8', { ignoreBOM: true }).decode(stdin))
  if (!isObject(raw)) throw new TnetError('BAD_JSON', 'read network configuration: want an object')
  return { stdin, raw }
}

async function bytes(read: ReadInput): Promise<Uint8Array> {
  try {
    return await read(MAX_CONFIG_BYTES + 1)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new TnetError('IO', `read network configuration: ${why}`, '', { cause: error })
  }
}
