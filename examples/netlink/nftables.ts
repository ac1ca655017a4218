// Drops what comes from some addresses for a minute: a table with a set, made once, and elements that go by themselves.
//
//   node examples/netlink/nftables.ts 192.0.2.1 192.0.2.9      as root, best in a namespace of its own
import { NETLINK_NETFILTER, NetlinkSocket, nft, NLM_F_APPEND, NLM_F_CREATE, request } from 'tnet/netlink'

const { cmp, counter, fields, immediate, lookup, meta, payload } = nft
const table = { family: 'inet', table: 'blocked' } as const
const set = { ...table, set: 'addresses' } as const
const addresses = process.argv.slice(2)

using socket = new NetlinkSocket(NETLINK_NETFILTER)

// One transaction. Emptying the chain first makes it the same however often it is done.
await nft.batch(socket, [
  request(nft.newTable, { family: 'inet', name: 'blocked' }, NLM_F_CREATE),
  request(
    nft.newSet,
    nft.setRequest({ ...table, name: 'addresses', key: ['ipv4_addr'], timeout: 60_000n, id: 1 }),
    NLM_F_CREATE,
  ),
  request(
    nft.newChain,
    {
      ...table,
      name: 'input',
      type: 'filter',
      policy: 'accept',
      hook: { number: nft.hooks.input, priority: nft.priorities.filter },
    },
    NLM_F_CREATE,
  ),
  request(nft.deleteRule, { ...table, chain: 'input' }),
  request(
    nft.newRule,
    {
      ...table,
      chain: 'input',
      // ip saddr @addresses counter drop
      expressions: [
        meta.load('nfproto', 1),
        cmp(1, '==', Uint8Array.of(2)),
        payload.load(fields.ipSaddr, 1),
        lookup.in(1, 'addresses'),
        counter(),
        immediate.drop(),
      ],
    },
    NLM_F_CREATE | NLM_F_APPEND,
  ),
])

const elements = addresses.map(address =>
  nft.element(nft.encodeKey(['ipv4_addr'], [address]), { comment: 'asked for' }),
)
await nft.batch(socket, [request(nft.newElement, { ...set, elements }, NLM_F_CREATE)])

for (const answer of await socket.dump(nft.getElement, set, nft.newElement)) {
  for (const { key, expiration = 0n } of answer.elements ?? []) {
    const [address] = nft.decodeKey(['ipv4_addr'], key?.value ?? Uint8Array.of())
    console.log(`${address} for another ${Math.round(Number(expiration) / 1000)} s`)
  }
}
