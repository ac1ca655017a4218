// What the kernel refuses, in its own words and with the attribute that it points to.
import { errnoName } from '../sys/errno.ts'
import type { Acknowledgement } from '../wire/message.ts'

/** The errno's meaning, where the name alone does not say it. */
const MEANINGS: Readonly<Record<string, string>> = {
  EEXIST: 'it exists already',
  ENODEV: 'no such device',
  ENOENT: 'no such thing',
  ESRCH: 'no such entry',
  EPERM: 'not permitted',
  EACCES: 'IPv6 is off',
  EBUSY: 'it is in use',
  EINVAL: 'invalid argument',
  ERESTART: 'it has changed meanwhile',
  EOPNOTSUPP: 'the kernel does not support it',
  ENETUNREACH: 'network is unreachable',
  EADDRINUSE: 'the address is in use',
  EADDRNOTAVAIL: 'no such address',
  ERANGE: 'out of range',
  ENFILE: 'no room for more',
  EXFULL: 'no room for more',
}

/** What to do, where the name of the errno would have one look for something else. */
const ADVICE: Readonly<Record<string, string>> = {
  EACCES:
    'IPv6 is off for that link: set net.ipv6.conf.LINK.disable_ipv6 to 0, of a new link net.ipv6.conf.default.disable_ipv6',
}

/** A refused netlink request. `code` is the errno's name. */
export class NetlinkError extends Error {
  readonly code: string
  readonly errno: number
  /** The request's name: RTM_NEWLINK. */
  readonly request: string
  /** The kernel's extended acknowledgement, where it gave one. */
  readonly kernelMessage: string | undefined
  readonly advice: string | undefined
  /** The attribute that the kernel refused, by the names of our tables: `linkInfo.data.mode`. */
  readonly attribute: string | undefined

  constructor(request: string, acknowledgement: Acknowledgement, attribute?: string) {
    const errno = -acknowledgement.error
    const code = errnoName(errno)
    const said = acknowledgement.message ?? MEANINGS[code] ?? ''
    super(
      `${request}: ${code}${said === '' ? '' : `, ${said}`}${attribute === undefined ? '' : ` (attribute ${attribute})`}`,
    )
    this.name = 'NetlinkError'
    this.code = code
    this.errno = errno
    this.request = request
    this.kernelMessage = acknowledgement.message
    this.advice = ADVICE[code]
    this.attribute = attribute
  }
}
