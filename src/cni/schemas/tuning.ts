// The configuration of the tuning plugin.
import { network } from './network.ts'
import { flag, integer, maybe, object, path, type Schema } from './schema.ts'

/** Any key; what it may be is said where it is read. */
const sysctl: Schema = { type: 'object', want: 'an object such as {"net.core.somaxconn": "500"}', open: true }
const ethtool: Schema = {
  type: 'object',
  want: 'an object such as {"features": {"tso": false}}',
  open: true,
}
const mac = maybe('a MAC address, such as 02:42:ac:11:00:02', 64)

const settings = {
  sysctl,
  mac,
  mtu: integer(0, 0x7fff_ffff),
  promisc: flag,
  allmulti: flag,
  txQLen: integer(0, 0x7fff_ffff),
  ethtool,
}

export const tuning: Schema = object({
  ...network,
  ...settings,
  dataDir: path,
  args: object(
    { cni: object({ ...network['args']?.properties?.['cni']?.properties, ...settings }, { open: true }) },
    { open: true },
  ),
})
