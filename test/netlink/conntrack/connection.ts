import t from 'tap'
import { deleteConnection, getConnection, newConnection } from '../../../src/netlink/conntrack/connection.ts'
import type { Tuple } from '../../../src/netlink/conntrack/tuple.ts'
import { NETLINK_NETFILTER } from '../../../src/netlink/socket.ts'
import { NLM_F_CREATE, NLM_F_EXCL } from '../../../src/wire/message.ts'
import { goldenRequest, survivesDamage, vectors } from '../../harness/golden.ts'
import { isolated } from '../../harness/namespaces.ts'
import { scene } from '../../harness/netlink.ts'

isolated(import.meta)

const vector = (name: string): string => vectors(import.meta.dirname, name)[0] ?? ''
const synproxy = { initial: 0, timestamp: 0, offset: 0 }
/** CTA_PROTOINFO_SCTP: established, and the tags of both directions. */
const SCTP = Buffer.from('050001000400000008000200010000000800030001000000', 'hex')
const head = { version: 0, resourceId: 0 }

function udp(ipSource: string, ipDestination: string, sourcePort: number, destinationPort: number): Tuple {
  return { ip: { ipSource, ipDestination }, protocol: { number: 'udp', sourcePort, destinationPort } }
}

t.test('connections of conntrack', t => {
  goldenRequest(t, vector('connection-delete'), {
    type: deleteConnection,
    flags: 0x5,
    value: {
      family: 'ip',
      ...head,
      original: udp('10.0.0.1', '10.0.0.2', 1000, 53),
      reply: udp('10.0.0.2', '10.0.0.1', 53, 1000),
      status: new Set(['confirmed'] as const),
      timeout: 99,
      mark: 0,
      synproxy,
    },
  })
  t.end()
})

t.test('of IPv6, by SCTP', t => {
  const [one, two] = ['fd00::1', 'fd00::2']
  goldenRequest(t, vector('connection-delete-ipv6'), {
    type: deleteConnection,
    flags: 0x5,
    value: {
      family: 'ip6',
      ...head,
      original: {
        ip: { ip6Source: one, ip6Destination: two },
        protocol: { number: 'sctp', sourcePort: 1000, destinationPort: 53 },
      },
      reply: {
        ip: { ip6Source: two, ip6Destination: one },
        protocol: { number: 'sctp', sourcePort: 53, destinationPort: 1000 },
      },
      status: new Set(['confirmed'] as const),
      timeout: 99,
      mark: 0,
      protocolInfo: { unknown: [{ type: 0x8003, payload: Uint8Array.from(SCTP) }] },
      synproxy,
    },
  })
  t.end()
})

t.test('damaged bytes', t => {
  survivesDamage(
    vectors(import.meta.dirname, 'connection-delete', 'connection-delete-ipv6'),
    deleteConnection,
  )
  t.end()
})

t.test('made, listed through a filter, forgotten', async t => {
  const { socket } = await scene(t, NETLINK_NETFILTER)
  const add = async (destination: string, port: number) =>
    socket.request(
      newConnection,
      {
        family: 'ip',
        original: udp('192.0.2.1', destination, 1000, port),
        reply: udp(destination, '192.0.2.1', port, 1000),
        timeout: 100,
      },
      NLM_F_CREATE | NLM_F_EXCL,
    )
  await add('192.0.2.2', 53)
  await add('192.0.2.3', 53)
  await add('192.0.2.3', 54)
  const list = async (port?: number) => {
    const only = {
      original: new Set(['number', ...(port === undefined ? [] : ['destinationPort' as const])] as const),
    }
    const protocol = { number: 'udp' as const, ...(port === undefined ? {} : { destinationPort: port }) }
    return socket.dump(getConnection, { family: 'ip', original: { protocol }, filter: only }, newConnection)
  }
  t.equal((await list()).length, 3)
  const found = await list(53)
  t.strictSame(found.map(({ original }) => original?.ip?.ipDestination).sort(), ['192.0.2.2', '192.0.2.3'])
  const [first] = found
  await socket.request(deleteConnection, { family: 'ip', original: first?.original, id: first?.id })
  t.equal((await list()).length, 2)
  await t.rejects(socket.request(deleteConnection, { family: 'ip', original: first?.original }), {
    code: 'ENOENT',
  })
})
