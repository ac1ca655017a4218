// Parameters of the kernel for one sandbox: files below /proc/sys/net.
import { absentIsFine, errnoCode, TnetError } from '../../errors.ts'
import { addressOf, formatAddress } from '../../net/ip.ts'
import type { Stack } from '../../net/stack.ts'
import { sweep } from '../../steps.ts'
import type { Parameter } from './options.ts'
import { forInterface } from './sysctl-key.ts'

/** By paths below /proc/sys. */
type Values = Readonly<Record<string, string>>

/** What there is of all that is to be changed, but for what cannot be read. Throws BAD_CONFIG. */
export async function parametersBefore(
  stack: Stack,
  parameters: readonly Parameter[],
  ifname: string,
): Promise<Values> {
  const before: Record<string, string> = {}
  for (const { key, path, value } of parameters) {
    const file = forInterface(path, ifname)
    const found = await valueBefore(stack, key, file)
    if (found !== undefined && value !== undefined) before[file] = found
  }
  return before
}

async function valueBefore({ sysctl }: Stack, key: string, file: string): Promise<string | undefined> {
  try {
    return await sysctl.getIfReadable(file)
  } catch (cause) {
    if (!['ENOENT', 'ENOTDIR', 'EISDIR'].includes(errnoCode(cause) ?? '')) throw cause
    const text = `sysctl ${JSON.stringify(key)}: the kernel has no parameter ${file}`
    throw new TnetError('BAD_CONFIG', text, '', { cause })
  }
}

/** What the kernel says to a value that it does not take; EIO where stable_secret is to be no address. */
const REFUSED = ['EINVAL', 'ERANGE', 'EIO']

/** Throws BAD_CONFIG at a value that the kernel does not take; then some are set. */
export async function setParameters(
  { sysctl }: Stack,
  parameters: readonly Parameter[],
  ifname: string,
): Promise<void> {
  for (const { key, path, value } of parameters) {
    if (value === undefined) continue
    try {
      await sysctl.set(forInterface(path, ifname), value)
    } catch (cause) {
      if (!REFUSED.includes(errnoCode(cause) ?? '')) throw cause
      const text = `sysctl ${JSON.stringify(key)}: the kernel does not take the value ${JSON.stringify(value)}`
      throw new TnetError('BAD_CONFIG', text, '', { cause })
    }
  }
}

/** Whatever of it can be; a parameter of an interface may be gone with it. */
export async function restoreParameters({ sysctl }: Stack, before: Values): Promise<void> {
  await sweep(
    Object.entries(before).map(
      ([file, value]) =>
        () =>
          sysctl.setIfPresent(file, value),
    ),
  )
}

export interface ChangedParameter {
  /** Below /proc/sys. */
  readonly file: string
  readonly wanted: string
  /** Undefined where it has no value, or is gone. */
  readonly found: string | undefined
}

/** The first that is not as it was asked to be. */
export async function changedParameter(
  stack: Stack,
  parameters: readonly Parameter[],
  ifname: string,
): Promise<ChangedParameter | undefined> {
  for (const { path, value } of parameters) {
    if (value === undefined) continue
    const file = forInterface(path, ifname)
    // What can only be written has no value to compare.
    const changed = await absentIsFine(['EACCES'], () => difference(stack, file, value))
    if (changed !== undefined) return changed
  }
  return undefined
}

async function difference(
  { sysctl }: Stack,
  file: string,
  wanted: string,
): Promise<ChangedParameter | undefined> {
  const found = await absentIsFine(['ENOENT', 'EIO'], () => sysctl.get(file))
  return found !== undefined && sameValue(found, wanted) ? undefined : { file, wanted, found }
}

/** The kernel parts the numbers of a list by tabs, and writes an IPv6 address in full. */
function sameValue(found: string, wanted: string): boolean {
  const words = (text: string) => text.trim().split(/\s+/).map(oneForm).join(' ')
  return words(found) === words(wanted)
}

function oneForm(word: string): string {
  const address = addressOf(word)
  return address === undefined ? word : formatAddress(address)
}
