// What a CNI plugin is to the door: its name, its configuration, and a function for each verb.
import type { HostOptions } from '../net/host.ts'
import type { Attached, Owner } from '../net/owner.ts'
import type { AttachResult } from '../net/result.ts'
import type { Log } from '../steps.ts'
import type { Document } from './config.ts'
import type { Environment, Variables } from './environment.ts'
import type { JsonObject } from './json.ts'
import type { Version } from './version.ts'

/** One call, checked: what every verb gets. */
export interface Request {
  readonly version: Version
  /** The name of the network. */
  readonly network: string
  /** The configuration as the plugin's schema has it. */
  readonly config: JsonObject
  /** The configuration as it came, and its bytes: what plugins that this one starts read in turn. */
  readonly raw: JsonObject
  readonly stdin: Uint8Array
  readonly environment: Environment
  /** All variables of the process. */
  readonly env: Variables
  /** The folder of our own executables: a plugin found there is called in this process. */
  readonly ownFolder: string | undefined
  /** Sees each netlink message; set with TNET_DEBUG=netlink. */
  readonly trace: HostOptions['trace']
  /** One line for who reads the log, such as `add veth`; printed with TNET_DEBUG=steps. */
  readonly log: Log
  /** One line for people, always printed. */
  readonly warn: Log
}

/** A call about one interface of one container. */
export interface AttachmentRequest extends Request {
  readonly owner: Owner
  /** What the plugins before made, or in CHECK and DEL what the whole list made. */
  readonly prevResult: AttachResult | undefined
}

/** Prints the result of ADD. What was made is undone where this throws. */
export type Answer = (result: AttachResult) => Promise<void>

export interface Plugin {
  readonly name: string
  readonly versions: readonly Version[]
  readonly document: Document
  /** Calls `answer` once, as the last thing that can fail. */
  add(request: AttachmentRequest, answer: Answer): Promise<void>
  del(request: AttachmentRequest): Promise<void>
  check(request: AttachmentRequest): Promise<void>
  /** `valid` are the attachments of the network that still live. */
  gc(request: Request, valid: readonly Attached[]): Promise<void>
  status(request: Request): Promise<void>
}
