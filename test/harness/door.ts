// Calls a plugin through its door in this process, as test/harness/plugins.ts calls an executable.
import { type Io, door } from '../../src/cni/door.ts'
import type { Plugin } from '../../src/cni/plugin.ts'
import { type Answer, type Call, callEnvironment } from './plugins.ts'

/** `dir` is CNI_PATH. What the door writes besides its answer is in `stderr`. */
export async function callDoor(
  plugin: Plugin,
  request: Call,
  { dir = '/nowhere', ...io }: Partial<Io> & { readonly dir?: string } = {},
): Promise<Answer> {
  const { config } = request
  const input = new TextEncoder().encode(typeof config === 'string' ? config : JSON.stringify(config))
  let stdout = ''
  let stderr = ''
  const code = await door(plugin, {
    env: callEnvironment(dir, request),
    stdin: async limit => input.subarray(0, limit),
    stdout: async text => void (stdout += text),
    stderr: text => void (stderr += text),
    ...io,
  })
  return { code, signal: null, stdout, stderr, json: parsed(stdout) }
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return undefined
  }
}
