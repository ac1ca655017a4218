// Where in CNI_PATH the plugin of a name is.
import { TnetError, unwanted } from '../errors.ts'
import { ifPresent } from '../sys/files.ts'
import { nameOf } from '../sys/path.ts'
import { isExecutable, isFile, stat } from '../sys/syscalls.ts'
import { missingVariables } from './environment.ts'

/**
 * The path of the executable `type` in the first folder that has it. Throws BAD_CONFIG where `type` is no plain name,
 * before anything is looked for; BAD_ENVIRONMENT without folders; INTERNAL, as the reference, where it is in none.
 */
export function findPlugin(type: string, folders: readonly string[], key = 'ipam.type'): string {
  const fault = faultOf(type)
  if (fault !== undefined) throw unwanted(key, 'the name of a plugin in CNI_PATH', type, fault)
  if (folders.length === 0) throw missingVariables(['CNI_PATH'])
  const path = folders.map(folder => `${folder}/${type}`).find(isProgram)
  if (path !== undefined) return path
  throw new TnetError(
    'INTERNAL',
    `failed to find plugin ${JSON.stringify(type)} in path [${folders.join(' ')}]`,
    'install it there, or add its folder to CNI_PATH',
  )
}

function faultOf(type: string): string | undefined {
  if (type === '' || type === '.' || type.includes('..')) return 'it is no name of a file'
  if (/[/\\\p{Cc}]/u.test(type)) return 'it has a slash, a backslash or a control character'
  return type.startsWith('-') ? 'it begins with -' : undefined
}

function isProgram(path: string): boolean {
  try {
    return isExecutable(path) && isFile(stat(path))
  } catch {
    // Whatever keeps us from looking at it keeps us from executing it.
    return false
  }
}

/**
 * The name under which the file at `path` is one of our own executables, which are all links of `tnet` in the folder
 * `own`; undefined where it is somebody else's, which may lie in the same folder.
 */
export function ownName(path: string, own: string): string | undefined {
  const ours = ifPresent(() => stat(`${own}/tnet`))
  const { dev, ino } = stat(path)
  return ours !== undefined && ours.dev === dev && ours.ino === ino ? nameOf(path) : undefined
}
