// A network as a CNI configuration: runtimes then put containers on it, with addresses from the same leases.
import { randomBytes } from 'node:crypto'
import { link, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { errnoCode, TnetError } from '../../errors.ts'
import type { NetworkRecord } from '../../store/schema.ts'
import { fileError } from '../../sys/files.ts'
import { bridgeConfig } from './bridge-network.ts'

export const CNI_VERSIONS = ['0.4.0', '1.0.0', '1.1.0'] as const

export function conflist(network: NetworkRecord, cniVersion: (typeof CNI_VERSIONS)[number]) {
  return {
    cniVersion,
    name: network.name,
    plugins: [
      {
        type: 'bridge',
        ...bridgeConfig(network),
        capabilities: { ips: true, mac: true },
        ipam: { type: 'tnet-ipam', network: network.name },
      },
    ],
  }
}

/** Writes a whole file or none. Throws TnetError IO, PERMISSION, and EXISTS where there is one, unless `replace`. */
export async function writeConflist(
  path: string,
  text: string,
  { replace }: { replace: boolean },
): Promise<void> {
  // Runtimes read every file of the folder that ends in .conf, .conflist or .json.
  const unfinished = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}`)
  const opened = await open(unfinished, 'wx', 0o644).catch(error => {
    throw fileError('write', path, error)
  })
  try {
    await using file = opened
    await file.writeFile(text)
    await file.sync()
    await (replace ? rename(unfinished, path) : link(unfinished, path))
  } catch (error) {
    if (errnoCode(error) !== 'EEXIST') throw fileError('write', path, error)
    throw new TnetError('EXISTS', `write ${path}: it exists already`, 'replace it with --force', {
      cause: error,
    })
  } finally {
    await rm(unfinished, { force: true })
  }
}

/** Other configurations in the folder of `path`, in the order in which a runtime reads them. */
export async function beside(path: string): Promise<string[]> {
  const names = await readdir(dirname(path))
  return names.filter(name => /\.(conf|conflist|json)$/.test(name) && name !== basename(path)).sort()
}
