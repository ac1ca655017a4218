// tnet-ipam as a CNI plugin and as the `ipam` of others: leases of a network that tnet keeps.
import { parseTnetIpam } from '../ipam/tnet-ipam/config.ts'
import { tnetIpam as leases } from '../ipam/tnet-ipam/tnet-ipam.ts'
import { openStore } from '../store/open.ts'
import { validate } from './generated/tnet-ipam.js'
import type { IpamKind } from './ipam-plugin.ts'
import { isObject } from './json.ts'
import { tnetIpam as schema } from './schemas/tnet-ipam.ts'

export const tnetIpam: IpamKind = {
  name: 'tnet-ipam',
  document: { schema, validate },
  async open({ config: { ipam }, env, environment: { command } }) {
    const config = parseTnetIpam(isObject(ipam) ? ipam : {})
    const stateDir = env['TNET_STATE_DIR'] || '/var/lib/tnet'
    const store = await openStore(stateDir, { make: command === 'ADD' })
    const close = () => store[Symbol.asyncDispose]()
    return { ...leases(config, { store, origin: 'cni' }), [Symbol.asyncDispose]: close }
  },
}
