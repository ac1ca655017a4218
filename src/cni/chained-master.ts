// A master that the plugin before has made: ipvlan stands on it where its configuration names none.
import { TnetError } from '../errors.ts'
import type { JsonObject } from './json.ts'
import type { AttachmentRequest } from './plugin.ts'

/** The configuration with its master. Throws BAD_CONFIG where the plugin before has made none, or several. */
export function withChainedMaster({ config, prevResult }: AttachmentRequest): JsonObject {
  if (prevResult === undefined || config['master'] !== undefined) return config
  const { interfaces } = prevResult
  const [only] = interfaces
  if (only !== undefined && only.name !== '' && interfaces.length === 1)
    return { ...config, master: only.name }
  const names = interfaces.map(({ name }) => name).join(', ')
  throw new TnetError(
    'BAD_CONFIG',
    `master: want one, or a prevResult with a single interface, got ${names || 'neither'}`,
    'name the link to stand on in "master"',
  )
}
