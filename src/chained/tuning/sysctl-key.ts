// Keys of sysctl(8): which file of /proc/sys one means. Only those of networks may be set.
import { unwanted } from '../../errors.ts'

const TOKEN = 'IFNAME'
const WANTED = 'a parameter below net, such as net.ipv4.conf.IFNAME.arp_filter'

/**
 * `net/ipv4/conf/IFNAME/arp_filter` of `net.ipv4.conf.IFNAME.arp_filter`. The first separator, a dot or a slash, parts
 * the key; the other one is then a dot of a name, as sysctl(8) has it. A key may begin with one, as
 * `/net/core/somaxconn` does. Throws BAD_CONFIG.
 */
export function sysctlPath(key: string): string {
  const separator = /[./]/.exec(key)?.[0]
  const path = (separator === '.' ? swapped(key) : key).replace(/^\//, '')
  const [top, ...below] = path.split('/')
  if (top !== 'net' || below.length === 0) throw unwanted('sysctl', WANTED, key)
  if (path.split('/').some(part => ['', '.', '..'].includes(part)) || /\p{Cc}/u.test(path)) {
    throw unwanted('sysctl', WANTED, key, 'it leads elsewhere')
  }
  return path
}

function swapped(key: string): string {
  return key.replace(/[./]/g, each => (each === '.' ? '/' : '.'))
}

/** The file for one interface: its name may have a dot. */
export function forInterface(path: string, ifname: string): string {
  return path.replace(TOKEN, () => ifname)
}
