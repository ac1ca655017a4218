// A directory for one test.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Temporary extends Disposable {
  readonly path: string
}

/** `parent`: /run is in memory, where the test is isolated. */
export function temporary(parent = tmpdir()): Temporary {
  const path = mkdtempSync(join(parent, 'tnet-test-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}
