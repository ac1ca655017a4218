// A message that the library has no table for: RTM_GETSTATS, counters of links, include/uapi/linux/if_link.h
//
//   node examples/netlink/own-table.ts
import {
  attributes,
  getLink,
  growing,
  message,
  NETLINK_ROUTE,
  NetlinkSocket,
  newLink,
  pad,
  struct,
  tracer,
  u32,
  u64,
  u8,
} from 'tnet/netlink'

/** struct if_stats_msg { __u8 family; __u8 pad1; __u16 pad2; __u32 ifindex; __u32 filter_mask; } */
const if_stats_msg = struct({ family: u8, padding: pad(3), index: u32, filterMask: u32 })

/** struct rtnl_link_stats64, as far as we read it; the rest is kept. */
const counters = growing(struct({ rxPackets: u64, txPackets: u64, rxBytes: u64, txBytes: u64 }))

/** IFLA_STATS_*: a row is the name, the number and the codec. */
const statistics = attributes({ link64: [1, counters] })

const newStats = message('RTM_NEWSTATS', 92, if_stats_msg, statistics)
const getStats = message('RTM_GETSTATS', 94, if_stats_msg, statistics)

// With its tables, the trace shows the messages, too: run it with TRACE=1.
const own = [{ protocol: NETLINK_ROUTE, types: [newStats, getStats] }]
const trace = process.env['TRACE'] === undefined ? undefined : tracer(text => process.stderr.write(text), own)

using socket = new NetlinkSocket(NETLINK_ROUTE, { trace })
const { index, name } = await socket.get(getLink, { index: 1 }, newLink)
const { link64 } = await socket.get(getStats, { index, filterMask: 1 }, newStats)
console.log(`${name}: ${link64?.rxPackets} packets in, ${link64?.txPackets} out`)
