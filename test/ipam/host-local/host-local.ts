import t from 'tap'
import { parseHostLocal } from '../../../src/ipam/host-local/config.ts'
import { hostLocal } from '../../../src/ipam/host-local/host-local.ts'
import { ipamCompliance } from '../../compliance/ipam.ts'
import { faults } from '../../harness/file-faults.ts'
import { temporary } from '../../harness/temporary.ts'

await ipamCompliance(t, 'host-local', {
  async make(_, subnets) {
    const directory = temporary()
    const ranges = subnets.map(each => [each])
    const config = parseHostLocal({ ipam: { dataDir: directory.path, ranges } })
    return {
      open: async () => hostLocal(config),
      async killed(n, deed) {
        using _ = faults({ kill: n })
        return await deed()
      },
      [Symbol.asyncDispose]: async () => directory[Symbol.dispose](),
    }
  },
})
