// Waits until a link is operational, without sleeping.
//
//   node examples/netlink/wait.ts NAME [MILLISECONDS]
import { waitForLink } from 'tnet/netlink'

const [name = 'lo', milliseconds = '5000'] = process.argv.slice(2)
const isUp = await waitForLink(
  {},
  { which: { name }, holds: link => link?.operstate === 'up', within: Number(milliseconds) },
)
console.log(isUp ? `${name} is up` : `${name}: not up in time`)
process.exitCode = isUp ? 0 : 1
