// The namespaces of a call: the host's, where tnet runs, and the sandbox.
import { TnetError } from '../errors.ts'
import { Host } from '../net/host.ts'
import { openSandbox, type Sandbox } from '../net/sandbox.ts'
import { callersVariable } from '../sys/environment.ts'
import { closeLate } from '../sys/late.ts'
import type { AttachmentRequest, Request } from './plugin.ts'

export function hostOf({ env, trace }: Request): Host {
  const systemBus = callersVariable(env, 'DBUS_SYSTEM_BUS_ADDRESS')
  return new Host({ runDir: env['TNET_RUN_DIR'] || '/run/tnet', trace, close: closeLate, systemBus })
}

/** Throws BAD_NETNS, before anything is done. */
export function sandboxOf({ environment, trace }: Request, ownAllowed = false): Sandbox {
  return openSandbox(environment.netns, { ownAllowed: ownAllowed || environment.ownNetnsAllowed, trace })
}

/** Undefined where the sandbox is gone, or where its path leads to something else by now, the host's own among them. */
export function leavingSandbox(request: AttachmentRequest, ownAllowed = false): Sandbox | undefined {
  if (request.environment.netns === '') return undefined
  try {
    return sandboxOf(request, ownAllowed)
  } catch (error) {
    if (!(error instanceof TnetError) || error.code !== 'BAD_NETNS') throw error
    request.log(`the sandbox is gone: ${error.message}`)
    return undefined
  }
}
