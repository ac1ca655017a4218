// Prints changes of links and addresses as they happen.
//
//   node examples/netlink/monitor.ts [EVENTS]      ends after so many, or at Ctrl-C
import { addresses, links, Monitor } from 'tnet/netlink'

let left = Number(process.argv[2] ?? Infinity)
await using monitor = new Monitor({}, links, addresses)
console.log('listening')
for await (const event of monitor) {
  switch (event.name) {
    case 'RTM_NEWLINK':
      console.log(`link ${event.value.name} is ${event.value.operstate}`)
      break
    case 'RTM_DELLINK':
      console.log(`link ${event.value.name} is gone`)
      break
    case 'RTM_NEWADDR':
    case 'RTM_DELADDR':
      console.log(`${event.name} ${event.value.local ?? event.value.address}/${event.value.prefixLength}`)
      break
    case 'lost':
      console.log('events were lost: look at everything anew')
  }
  if (--left <= 0) break
}
