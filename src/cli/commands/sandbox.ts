// tnet sandbox: the commands about sandboxes.
import { group } from '../command.ts'
import { sandboxCreate } from './sandbox-create.ts'
import { sandboxExec } from './sandbox-exec.ts'
import { sandboxLs } from './sandbox-ls.ts'
import { sandboxRm } from './sandbox-rm.ts'

export const sandbox = group(
  'sandbox',
  'Named network namespaces',
  [sandboxCreate, sandboxLs, sandboxRm, sandboxExec],
  [
    ['$0 sandbox create web', 'make one'],
    ['$0 network connect front web', 'put it on a network'],
    ['$0 sandbox exec web ip addr', 'run a program in it'],
    ['$0 sandbox rm web', 'remove it'],
  ],
)
