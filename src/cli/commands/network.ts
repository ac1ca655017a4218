// tnet network: the commands about networks.
import { group } from '../command.ts'
import { networkConnect } from './network-connect.ts'
import { networkCreate } from './network-create.ts'
import { networkDisconnect } from './network-disconnect.ts'
import { networkExport } from './network-export.ts'
import { networkInspect } from './network-inspect.ts'
import { networkLs } from './network-ls.ts'
import { networkPrune } from './network-prune.ts'
import { networkRm } from './network-rm.ts'

export const network = group(
  'network',
  'Networks and what is on them',
  [
    networkCreate,
    networkLs,
    networkInspect,
    networkRm,
    networkPrune,
    networkConnect,
    networkDisconnect,
    networkExport,
  ],
  [
    ['$0 network create front', 'make one, on the next free subnet'],
    ['$0 network connect front web', 'put a sandbox on it'],
    ['$0 network inspect front', 'see who is on it'],
  ],
)
