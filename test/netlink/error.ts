import t from 'tap'
import { asTnetError } from '../../src/errors.ts'
import { NetlinkError } from '../../src/netlink/error.ts'

t.test('carries what the kernel said', t => {
  const error = new NetlinkError(
    'RTM_NEWLINK',
    { error: -34, message: 'Too large', offset: 40 },
    'linkInfo.data.id',
  )
  t.match(error, {
    name: 'NetlinkError',
    code: 'ERANGE',
    errno: 34,
    request: 'RTM_NEWLINK',
    kernelMessage: 'Too large',
    attribute: 'linkInfo.data.id',
  })
  for (const part of ['RTM_NEWLINK', 'ERANGE', 'Too large', 'linkInfo.data.id']) t.match(error.message, part)
  t.end()
})

t.test('an errno without words, and one without a name', t => {
  const none = { message: undefined, offset: undefined }
  t.match(new NetlinkError('RTM_DELLINK', { error: -19, ...none }), {
    code: 'ENODEV',
    kernelMessage: undefined,
    attribute: undefined,
  })
  t.equal(new NetlinkError('RTM_DELLINK', { error: -9999, ...none }).code, 'E9999')
  t.end()
})

t.test('IPv6 that is off for a link is no question of permission', t => {
  const off = new NetlinkError('RTM_NEWADDR', { error: -13, message: undefined, offset: undefined })
  t.match(asTnetError(off), { code: 'KERNEL', message: /IPv6 is off/, details: /disable_ipv6/ })
  const refused = new NetlinkError('RTM_NEWADDR', { error: -1, message: undefined, offset: undefined })
  t.match(asTnetError(refused), { code: 'PERMISSION', details: /CAP_NET_ADMIN/ })
  t.end()
})
