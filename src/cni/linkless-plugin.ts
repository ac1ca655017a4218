// What works on the links of others as a CNI plugin: chained plugins, and drivers that make no link.
import type { Linkless } from '../drivers/driver.ts'
import { TnetError } from '../errors.ts'
import { NO_RESULT, type AttachResult } from '../net/result.ts'
import { Steps } from '../steps.ts'
import type { Document } from './config.ts'
import { hostOf, leavingSandbox, sandboxOf } from './namespaces.ts'
import type { AttachmentRequest, Plugin, Request } from './plugin.ts'
import { resultMissing } from './result.ts'
import { type Version, VERSIONS } from './version.ts'

export interface LinklessPlugin<C, O> {
  readonly driver: Linkless<C, O>
  readonly document: Document
  /** By default all. */
  readonly versions?: readonly Version[]
  /** It has something to do only after another plugin. */
  readonly chained: boolean
  /** The sandbox may be the host's own namespace. */
  readonly ownNetns?: boolean
  /** What the driver parses, where that is more than the configuration. Throws BAD_CONFIG, BAD_ENVIRONMENT. */
  config?(request: Request): C
}

export function linklessPlugin<C, O>(plugin: LinklessPlugin<C, O>): Plugin {
  const { driver, document, versions = VERSIONS, chained, ownNetns = false } = plugin
  const configOf = (request: Request): C => plugin.config?.(request) ?? (request.config as C)
  const networkOf = (request: Request) => ({
    name: request.network,
    options: driver.parse(configOf(request)),
  })
  const leavingNetworkOf = ({ network: name, config }: Request) => ({
    name,
    options: driver.parseLeaving(config as C),
  })
  const resultOf = (request: AttachmentRequest): AttachResult => {
    if (request.prevResult === undefined && chained) throw notChained(driver.name)
    return request.prevResult ?? NO_RESULT
  }
  return {
    name: driver.name,
    versions,
    document,

    async add(request, answer) {
      const network = networkOf(request)
      const result = resultOf(request)
      using sandbox = sandboxOf(request, ownNetns)
      using host = hostOf(request)
      await using steps = new Steps(request.log)
      await answer(await driver.attach(network, { owner: request.owner, sandbox, result }, host, steps))
      steps.commit()
    },

    async del(request) {
      using sandbox = leavingSandbox(request, ownNetns)
      using host = hostOf(request)
      const { owner, prevResult: result } = request
      await driver.detach(leavingNetworkOf(request), { owner, sandbox, result }, host)
    },

    async check(request) {
      const network = networkOf(request)
      const { owner, prevResult: result } = request
      if (result === undefined) throw resultMissing()
      using sandbox = sandboxOf(request, ownNetns)
      using host = hostOf(request)
      await driver.check(network, { owner, sandbox, result }, host)
    },

    async gc(request, valid) {
      using host = hostOf(request)
      await driver.gc?.(leavingNetworkOf(request), valid, host)
    },

    async status(request) {
      using host = hostOf(request)
      await driver.status?.(networkOf(request), host, request.warn)
    },
  }
}

function notChained(name: string): TnetError {
  return new TnetError(
    'BAD_CONFIG',
    'prevResult: want the result of the plugin before, got nothing',
    `${name} works on what another plugin made: name it after that one in "plugins"`,
  )
}
