// Parameters of the kernel for one sandbox, and settings of its interface. What was there before is kept in a file.
import type { Linkless, LinkedPort } from '../../drivers/driver.ts'
import { TnetError } from '../../errors.ts'
import type { Host } from '../../net/host.ts'
import { type Told, toldOf } from '../../net/leaving-port.ts'
import { applySettings, settingsOf } from '../../net/link-settings.ts'
import type { Owner } from '../../net/owner.ts'
import { deviceBack, inOwnSandbox } from '../../net/own-sandbox.ts'
import { ownLink } from '../../net/sandbox-link.ts'
import type { AttachResult } from '../../net/result.ts'
import type { Sandbox } from '../../net/sandbox.ts'
import type { Stack } from '../../net/stack.ts'
import type { Link } from '../../netlink/route/link.ts'
import { sweep } from '../../steps.ts'
import { requireAllowed } from './allowlist.ts'
import {
  type Backup,
  backupName,
  readBackup,
  removeBackup,
  removeBegun,
  staleBackups,
  writeBackup,
} from './backup.ts'
import { parseLeaving, parseOptions, type TuningConfig, type TuningOptions } from './options.ts'
import { changedParameter, parametersBefore, restoreParameters, setParameters } from './parameters.ts'

export const tuning: Linkless<TuningConfig, TuningOptions> = {
  name: 'tuning',
  parse: parseOptions,
  parseLeaving,

  async attach({ name: network, options }, port, _host, steps) {
    const { owner, sandbox, result } = port
    const { dataDir } = options
    requireAllowed(options.parameters)
    const link = await linkOf(port)
    const now = await currently(options, port, link)
    if (isNothing(options)) return result
    // A second ADD must not take the first one's values for the original ones.
    const before = readBackup(dataDir, owner)
    const isKept = before?.sandbox === sandbox.id && before.network === network
    const kept = isKept ? earliest(now, before) : now
    await steps.step(
      'keep what there was before',
      () => writeBackup(dataDir, owner, { ...kept, ...owner, sandbox: sandbox.id }),
      isKept ? undefined : () => removeBackup(dataDir, owner),
    )
    await steps.step(
      `tune ${owner.ifname} in ${sandbox.path}`,
      () => tune(options, port, link, now),
      () => restore(sandbox, link, now),
    )
    return told(port, await linkOf(port))
  },

  async detach({ options: { dataDir } }, { owner, sandbox, result }, host) {
    const backup = readBackup(dataDir, owner)
    await sweep([
      async () => {
        if (backup === undefined) return
        if (sandbox !== undefined && isOf(backup, sandbox))
          return restoreOwn(backup, { owner, sandbox, told: toldOf(owner, result) }, host)
        // The path leads nowhere, or to another container by now.
        await inOwnSandbox(owner, host, each => restoreOwn(backup, { owner, sandbox: each }, host))
        // host-device restores all else when it gives the device its name again.
        const device = await deviceBack(owner, host)
        if (device !== undefined) await restoreFeatures(host, device, backup)
      },
      () => removeBackup(dataDir, owner),
    ])
  },

  async check({ options }, port) {
    const { link: wanted, parameters, features } = options
    const link = await linkOf(port)
    const has = settingsOf(link, wanted)
    for (const [key, value] of Object.entries(wanted)) {
      const found = has[key as keyof typeof has]
      if (found !== value) throw changed(`${key} of ${port.owner.ifname}`, value, found)
    }
    if (!isEmpty(features)) {
      const { changedFeature } = await import('./features.ts')
      const found = await changedFeature(port.sandbox, link, features)
      if (found !== undefined) throw changed(`${found.key} of ${port.owner.ifname}`, found.isOn, !found.isOn)
    }
    const parameter = await changedParameter(port.sandbox, parameters, port.owner.ifname)
    if (parameter !== undefined) throw changed(parameter.file, parameter.wanted, parameter.found)
  },

  async status({ options: { features } }, host) {
    if (isEmpty(features)) return
    const { requireFeatures } = await import('./features.ts')
    await requireFeatures(host, features)
  },

  async gc({ name: network, options: { dataDir } }, valid, host) {
    const kept = new Set(valid.map(backupName))
    removeBegun(dataDir, network, kept)
    const stale = staleBackups(dataDir, network, kept)
    if (stale.length === 0) return
    const { reachableSandboxes } = await import('../../net/reachable.ts') // it reads all of /proc
    const owned = stale.map(backup => ({ backup, owner: ownerOf(backup, network) }))
    await sweep([
      () =>
        reachableSandboxes(async sandbox => {
          for (const { backup, owner } of owned) await restoreOwn(backup, { owner, sandbox }, host)
        }),
      ...owned.map(
        ({ owner }) =>
          () =>
            removeBackup(dataDir, owner),
      ),
    ])
  },
}

function ownerOf({ containerId = '', ifname = '' }: Backup, network: string): Owner {
  return { network, containerId, ifname }
}

/** Whether it is the namespace that was tuned. The reference does not say which that was. */
function isOf({ sandbox: id }: Backup, sandbox: Sandbox): boolean {
  return id === undefined || id === sandbox.id
}

/** In the namespace that was tuned, on the owner's link: a path may lead to another container by now. */
async function restoreOwn(
  backup: Backup,
  { owner, sandbox, told }: { owner: Owner; sandbox: Sandbox; told?: Told | undefined },
  host: Host,
): Promise<void> {
  if (!isOf(backup, sandbox)) return
  const isReferences = backup.sandbox === undefined
  const link = await ownLink(owner, { sandbox, host, told: isReferences ? told : undefined })
  if (link !== undefined) return restore(sandbox, link, backup)
  // What is about the namespace is restored without the link too, unless the link is another container's.
  const isGone = (await sandbox.links.get(owner.ifname)) === undefined
  if (isGone && !isReferences) await restoreParameters(sandbox, backup.sysctl ?? {})
}

async function linkOf({ owner: { ifname }, sandbox }: LinkedPort): Promise<Link> {
  const link = await sandbox.links.get(ifname)
  if (link !== undefined) return link
  throw new TnetError('NOT_FOUND', `${ifname}: there is no such interface in ${sandbox.path}`)
}

function isNothing({ parameters, link, features }: TuningOptions): boolean {
  return parameters.length === 0 && isEmpty(link) && isEmpty(features)
}

function isEmpty(settings: object): boolean {
  return Object.keys(settings).length === 0
}

/** What there was before the first ADD, and of what only this one changes, before this one. */
function earliest(now: Backup, before: Backup): Backup {
  const sysctl = { ...now.sysctl, ...before.sysctl }
  const features = { ...now.features, ...before.features }
  return {
    ...now,
    ...before,
    ...(isEmpty(sysctl) ? {} : { sysctl }),
    ...(isEmpty(features) ? {} : { features }),
  }
}

/** What there is of all that is to be changed. */
async function currently(
  { parameters, link: wanted, features: asked }: TuningOptions,
  { owner, sandbox }: LinkedPort,
  link: Link,
): Promise<Backup> {
  const sysctl = await parametersBefore(sandbox, parameters, owner.ifname)
  const features = isEmpty(asked)
    ? {}
    : { features: await (await import('./features.ts')).featuresBefore(sandbox, link, asked) }
  return { ...settingsOf(link, wanted), ...(parameters.length === 0 ? {} : { sysctl }), ...features }
}

/** All or nothing. */
async function tune(options: TuningOptions, port: LinkedPort, link: Link, before: Backup): Promise<void> {
  const { owner, sandbox } = port
  try {
    await setParameters(sandbox, options.parameters, owner.ifname)
    await applySettings(sandbox, link, options.link)
    if (isEmpty(options.features)) return
    const { setFeatures } = await import('./features.ts')
    await setFeatures(sandbox, link, options.features)
  } catch (error) {
    await restore(sandbox, link, before)
    throw error
  }
}

async function restore(sandbox: Sandbox, link: Link, backup: Backup): Promise<void> {
  await sweep([
    () => restoreParameters(sandbox, backup.sysctl ?? {}),
    () => applySettings(sandbox, link, backup),
    () => restoreFeatures(sandbox, link, backup),
  ])
}

async function restoreFeatures(stack: Stack, link: Link, { features: before = {} }: Backup): Promise<void> {
  if (isEmpty(before)) return
  const features = await import('./features.ts')
  await features.restoreFeatures(stack, link, before)
}

/** The interface as it is now. */
function told({ owner: { ifname }, result }: LinkedPort, { address = '', mtu }: Link): AttachResult {
  const interfaces = result.interfaces.map(each =>
    each.name === ifname && each.sandbox ? { ...each, mac: address, mtu } : each,
  )
  return { ...result, interfaces }
}

function changed(thing: string, wanted: unknown, found: unknown): TnetError {
  const text = `${thing}: want ${JSON.stringify(wanted)}, got ${JSON.stringify(found) ?? 'nothing'}`
  return new TnetError('CHECK_FAILED', text, 'DEL and ADD the container again')
}
