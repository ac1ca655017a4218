// Takes a sandbox off a network. Never stops early, and what is gone already is success.
import type { Sandbox } from '../net/sandbox.ts'
import { type Log, sweep } from '../steps.ts'
import type { Attachment } from './attach.ts'

export interface DetachRequest<C, O> extends Attachment<C, O> {
  /** Undefined where the namespace is gone. */
  readonly sandbox: Sandbox | undefined
  /** Undefined where nobody knows them any more: then they are searched for. */
  readonly addresses: readonly string[] | undefined
  /** Undefined where nobody knows it any more. */
  readonly mac?: string | undefined
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
