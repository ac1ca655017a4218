// Takes a sandbox off a network. Never stops early, and what is gone already is success.
import type { Told } from '../net/leaving-port.ts'
import type { Sandbox } from '../net/sandbox.ts'
import { type Log, sweep } from '../steps.ts'
import type { Attachment } from './attach.ts'

/** Addresses that nobody knows any more are searched for. */
export interface DetachRequest<C, O> extends Attachment<C, O>, Told {
  /** Undefined where the namespace is gone. */
  readonly sandbox: Sandbox | undefined
  readonly warn?: Log | undefined
}

/** The addresses go last: while the link has them, nobody else may get them. */
export async function detach<C, O>(request: DetachRequest<C, O>): Promise<void> {
  const { driver, network, owner, sandbox, addresses, mac, host, ipam, warn = () => {} } = request
  await sweep([
    () => driver.detach(network, { owner, sandbox, addresses, mac }, host, warn),
    () => ipam?.release(owner),
  ])
}
