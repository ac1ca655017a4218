// What strace shows of netlink.

/** The hexadecimal text of each datagram in strace's dump. Those that were only peeked at have no dump. */
export function datagrams(trace: string, direction: 'send' | 'recv' | 'read'): string[] {
  const seen: string[] = []
  let wanted = false
  for (const line of trace.split('\n')) {
    const dumped = /^ \| ([0-9a-f]{5})  ((?:[0-9a-f]{2} {1,2})+)/.exec(line)
    if (/^\w+\(/.test(line)) wanted = line.startsWith(direction)
    if (dumped?.[1] === '00000' && wanted) seen.push('')
    if (dumped !== null && wanted) seen[seen.length - 1] += (dumped[2] ?? '').replaceAll(' ', '')
  }
  return seen
}
