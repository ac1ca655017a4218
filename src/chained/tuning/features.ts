// Features of a link, as `ethtool -K` sets them. Loaded where the configuration or a backup speaks of them alone.
import { absentIsFine, TnetError } from '../../errors.ts'
import { nearest } from '../../misspelled.ts'
import type { Feature } from '../../net/features.ts'
import type { Stack } from '../../net/stack.ts'
import type { Link } from '../../netlink/route/link.ts'
import { featureNames, kernelName, matching } from './feature-names.ts'

/** By the names of the configuration, or by the kernel's own: on or off. */
type Settings = Readonly<Record<string, boolean>>
type Known = ReadonlyMap<string, Feature>

/** What one name of the configuration asks for. */
interface Asked {
  readonly key: string
  readonly isOn: boolean
  /**
   * The features of the kernel that it is about. Several are on where those are that can be changed, and one at all:
   * some of them are always fixed.
   */
  readonly names: readonly string[]
}

/** lo, in every namespace. */
const LOOPBACK = 1

/** What the kernel was asked for before, of what `features` may change. Throws BAD_CONFIG, UNSUPPORTED. */
export async function featuresBefore(stack: Stack, link: Link, features: Settings): Promise<Settings> {
  const known = await knownOf(stack, link.index)
  const asked = resolve(features, known)
  const fixed = asked.find(each => !isPossible(each, known))
  if (fixed !== undefined) throw refused(fixed, `${link.name} has it fixed`)
  const before = Object.keys(changes(asked, known)).map(name => [name, known.get(name)?.isWanted ?? false])
  return Object.fromEntries(before) as Settings
}

/** Throws UNSUPPORTED where the link does not do it; then some of it may be done. */
export async function setFeatures(stack: Stack, link: Link, features: Settings): Promise<void> {
  const known = await knownOf(stack, link.index)
  const asked = resolve(features, known)
  const wanted = changes(asked, known)
  if (Object.keys(wanted).length === 0) return
  const differing = await (await stack.features()).set(link.index, wanted)
  const isOn = (name: string) =>
    name in wanted ? wanted[name] !== differing.has(name) : known.get(name)?.isOn === true
  const left = asked.find(each => !isAs(each, known, isOn))
  if (left !== undefined) throw refused(left, `${link.name} does not do it`)
}

/** What the kernel was asked for before. A link that is gone has nothing to restore. */
export async function restoreFeatures(stack: Stack, link: Link, before: Settings): Promise<void> {
  const features = await stack.features()
  await absentIsFine(['ENODEV'], () => features.set(link.index, before))
}

/** The first that is not as it was asked to be. */
export async function changedFeature(
  stack: Stack,
  link: Link,
  features: Settings,
): Promise<{ readonly key: string; readonly isOn: boolean } | undefined> {
  const known = await knownOf(stack, link.index)
  return resolve(features, known).find(each => !isAs(each, known, name => known.get(name)?.isOn === true))
}

/** Throws UNAVAILABLE where the kernel cannot be asked, and BAD_CONFIG at a feature that it does not know. */
export async function requireFeatures(stack: Stack, features: Settings): Promise<void> {
  resolve(features, await knownOf(stack, LOOPBACK, 'UNAVAILABLE'))
}

async function knownOf(
  stack: Stack,
  index: number,
  code: 'UNSUPPORTED' | 'UNAVAILABLE' = 'UNSUPPORTED',
): Promise<Known> {
  const known = await (await stack.features()).get(index)
  if (known !== undefined) return known
  throw new TnetError(
    code,
    'ethtool.features: this kernel has no netlink interface of ethtool',
    'it takes Linux 5.7, built with CONFIG_ETHTOOL_NETLINK',
  )
}

/** A name of one feature goes before a name of several. Throws BAD_CONFIG. */
function resolve(features: Settings, known: Known): Asked[] {
  const kernelNames = new Map<string, { key: string; isOn: boolean }>()
  for (const [key, isOn] of Object.entries(features)) {
    if (key.includes('*')) throw unknown(key, known)
    const kernel = kernelName(key)
    const other = kernelNames.get(kernel)
    if (other !== undefined && other.isOn !== isOn) throw contradiction(key, other.key)
    kernelNames.set(kernel, { key, isOn })
  }
  return [...kernelNames].flatMap(([kernel, { key, isOn }]) => {
    const names = matching(kernel, known.keys())
    if (names.length === 0) throw unknown(key, known)
    const own = names.filter(name => name === kernel || !kernelNames.has(name))
    return own.length === 0 ? [] : [{ key, isOn, names: own }]
  })
}

/** What is asked of the kernel: features that the device has fixed are left as they are. */
function changes(asked: readonly Asked[], known: Known): Settings {
  const all = asked.flatMap(({ names, isOn }) => names.map(name => [name, isOn] as const))
  return Object.fromEntries(all.filter(([name]) => known.get(name)?.isChangeable === true))
}

function isPossible(asked: Asked, known: Known): boolean {
  return isAs(asked, known, name => {
    const feature = known.get(name)
    return feature?.isChangeable === true ? asked.isOn : feature?.isOn === true
  })
}

function isAs({ names, isOn }: Asked, known: Known, isNow: (name: string) => boolean): boolean {
  if (!isOn) return !names.some(isNow)
  return names.some(isNow) && names.every(name => isNow(name) || known.get(name)?.isChangeable !== true)
}

function refused({ key, isOn }: Asked, why: string): TnetError {
  const text = `ethtool.features["${key}"]: want ${isOn}, but ${why}`
  return new TnetError('UNSUPPORTED', text, 'ethtool -k shows what is fixed, and what others need may be off')
}

function contradiction(key: string, other: string): TnetError {
  return new TnetError(
    'BAD_CONFIG',
    `ethtool.features: "${other}" and "${key}" are one, and to be both on and off`,
  )
}

function unknown(key: string, known: Known): TnetError {
  const words = [...featureNames.flatMap(({ short, shown }) => [short, shown]), ...known.keys()]
  const meant = nearest(key, words)
  return new TnetError(
    'BAD_CONFIG',
    `ethtool.features["${key}"]: the kernel has no such feature`,
    meant === undefined ? 'ethtool -k shows which there are' : `did you mean "${meant}"?`,
  )
}
