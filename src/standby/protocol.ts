// What a launcher and a process that stands by say to each other; addon/standby.c has the launcher's side.

/** Where launchers ask. Not in TNET_RUN_DIR: who serves a plugin's call is nothing that its environment may choose. */
export const FOLDER = '/run/tnet'
export const SOCKET = `${FOLDER}/standby`

/** The first word: the process waits for a call. */
export const READY = Uint8Array.of('A'.charCodeAt(0))
/** The call was not begun: the launcher has to make it. */
export const REFUSED = Uint8Array.of('R'.charCodeAt(0))

export function done(status: number): Uint8Array {
  return Uint8Array.of('D'.charCodeAt(0), status)
}

/** A plugin's call as its launcher hands it over. */
export interface HandedCall {
  /** Device and inode of the runtime beside the launcher. */
  readonly runtime: { readonly dev: bigint; readonly ino: bigint }
  /** What the plugin was called as. */
  readonly name: string
  readonly env: Readonly<Record<string, string>>
}

/** Two numbers of 64 bits, then the name and the environment as strings that end with NUL. Undefined: not a call. */
export function parseCall(bytes: Uint8Array): HandedCall | undefined {
  if (bytes.length < 17 || bytes.at(-1) !== 0) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const [name = '', ...variables] = new TextDecoder().decode(bytes.subarray(16, -1)).split('\0')
  const env: Record<string, string> = Object.create(null)
  for (const variable of variables) {
    const end = variable.indexOf('=')
    // The first of two counts, as for getenv(3).
    if (end > 0) env[variable.slice(0, end)] ??= variable.slice(end + 1)
  }
  return { runtime: { dev: view.getBigUint64(0, true), ino: view.getBigUint64(8, true) }, name, env }
}
