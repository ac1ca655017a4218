// The environment of a call: which verb, for which interface of which container. Nothing else reads CNI_* variables.
import { TnetError } from '../errors.ts'

export const COMMANDS = ['ADD', 'CHECK', 'DEL', 'GC', 'STATUS', 'VERSION'] as const

export type Command = (typeof COMMANDS)[number]

/** What a call says besides its configuration. Variables that the verb has no use for are empty. */
export interface Environment {
  readonly command: Command
  readonly containerId: string
  /** A path; empty where DEL was given none. */
  readonly netns: string
  readonly ifname: string
  /** CNI_ARGS as it came. */
  readonly args: string
  /** The folders of CNI_PATH. It may be empty: only a call that starts another plugin needs it. */
  readonly path: readonly string[]
  /** CNI_NETNS_OVERRIDE: CNI_NETNS may be the namespace that the plugin itself runs in. */
  readonly ownNetnsAllowed: boolean
}

export type Variables = Readonly<Record<string, string | undefined>>

const ATTACHMENT: readonly Command[] = ['ADD', 'CHECK', 'DEL']
const SANDBOX: readonly Command[] = ['ADD', 'CHECK']

/** Which verbs demand a variable. The order is that of the message that lists those missing. */
const DEMANDS: readonly (readonly [variable: string, commands: readonly Command[]])[] = [
  ['CNI_CONTAINERID', ATTACHMENT],
  ['CNI_NETNS', SANDBOX],
  ['CNI_IFNAME', ATTACHMENT],
]

/** IFNAMSIZ of the kernel, without the NUL. */
const IFNAME_BYTES = 15
/** A name of a file: leases and the runtimes' caches are kept under it. */
const CONTAINER_ID_BYTES = 255
/** PATH_MAX of the kernel, without the NUL. */
const PATH_BYTES = 4095
const ARGS_BYTES = 64 * 1024

/** Control characters, and what stands for bytes that are not UTF-8. */
const UNPRINTABLE = /[\p{Cc}\ufffd]/u

/**
 * The call that the variables `env` make, or undefined where CNI_COMMAND is unset: then a person started the plugin.
 * Throws TnetError BAD_ENVIRONMENT; one error lists all that is missing.
 */
export function environment(env: Variables): Environment | undefined {
  const name = env['CNI_COMMAND'] ?? ''
  if (name === '') return undefined
  const command = COMMANDS.find(known => known === name)
  if (command === undefined) {
    throw new TnetError(
      'BAD_ENVIRONMENT',
      `unknown CNI_COMMAND: ${name}`,
      `want one of ${COMMANDS.join(', ')}`,
    )
  }
  const value = (variable: string, commands = ATTACHMENT): string =>
    commands.includes(command) ? (env[variable] ?? '') : ''
  const missing = DEMANDS.filter(
    ([variable, commands]) => commands.includes(command) && value(variable) === '',
  )
  if (missing.length > 0) throw missingVariables(missing.map(([variable]) => variable))

  const call: Environment = {
    command,
    containerId: value('CNI_CONTAINERID'),
    netns: value('CNI_NETNS'),
    ifname: value('CNI_IFNAME'),
    args: value('CNI_ARGS'),
    path: (env['CNI_PATH'] ?? '').split(':').filter(folder => folder !== ''),
    ownNetnsAllowed: ['1', 'TRUE'].includes((env['CNI_NETNS_OVERRIDE'] ?? '').toUpperCase()),
  }
  if (ATTACHMENT.includes(command)) validate(call)
  return call
}

/** The error that CNI's own tools print where variables are missing. */
export function missingVariables(names: readonly string[]): TnetError {
  return new TnetError('BAD_ENVIRONMENT', `required env variables [${names.join(',')}] missing`)
}

/**
 * A name that nothing could ever have been attached under is refused by every verb. What only we are stricter about is
 * refused by ADD and CHECK alone: DEL must be able to remove what another implementation made.
 */
function validate({ command, containerId, netns, ifname, args }: Environment): void {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(containerId)) {
    throw new TnetError('BAD_ENVIRONMENT', 'invalid characters in containerID', containerId)
  }
  const fault = ifnameFault(ifname)
  if (fault !== undefined) throw refused('CNI_IFNAME', ifname, fault)
  if (command === 'DEL') return
  atMost('CNI_CONTAINERID', containerId, CONTAINER_ID_BYTES)
  atMost('CNI_NETNS', netns, PATH_BYTES)
  atMost('CNI_ARGS', args, ARGS_BYTES)
  for (const [variable, text] of [
    ['CNI_NETNS', netns],
    ['CNI_IFNAME', ifname],
    ['CNI_ARGS', args],
  ] as const) {
    if (UNPRINTABLE.test(text)) throw refused(variable, text, 'it has control characters or is not UTF-8')
  }
  if (ifname.includes('%'))
    throw refused('CNI_IFNAME', ifname, 'it has a %, from which the kernel makes a number')
}

/** Why the kernel, or a specification of CNI, does not take `name` as the name of a link. */
export function ifnameFault(name: string): string | undefined {
  if (name === '') return 'it is empty'
  if (name === '.' || name === '..') return 'it is . or ..'
  if (Buffer.byteLength(name) > IFNAME_BYTES) return `it has more than ${IFNAME_BYTES} bytes`
  if (/[/:\p{White_Space}]/u.test(name)) return 'it has a slash, a colon or white space'
  return undefined
}

function atMost(variable: string, text: string, bytes: number): void {
  if (Buffer.byteLength(text) > bytes) throw refused(variable, text, `it has more than ${bytes} bytes`)
}

function refused(variable: string, text: string, why: string): TnetError {
  const shown = text.length > 64 ? `${text.slice(0, 64)}...` : text
  return new TnetError('BAD_ENVIRONMENT', `${variable} ${JSON.stringify(shown)}: ${why}`)
}
