// tnet debug veth
import { asTnetError } from '../../errors.ts'
import { debugVeth } from '../../engine/debug-veth.ts'
import { openStore } from '../../store/open.ts'
import { isRecorded } from '../../engine/networks/recorded.ts'
import type { Owner } from '../../net/owner.ts'
import { command, format } from '../command.ts'
import type { Context } from '../io.ts'
import { failure, visible } from '../text.ts'
import { asJson, details, overview } from '../veth-view.ts'

const PROBLEM = 1
const CANNOT_TELL = 2

export const debugVethCommand = command({
  command: 'veth [which]',
  describe: 'Show veth pairs: whose they are, where their ends are, what is wrong',
  builder: yargs =>
    yargs
      .positional('which', {
        describe: 'an interface, IP, MAC, sandbox, container, network, or pid:N',
        type: 'string',
      })
      .option('format', format)
      .example('$0 debug veth', 'all pairs, an end in each line')
      .example('$0 debug veth 172.18.0.2', 'one pair, both ends side by side')
      .example('$0 debug veth pid:1234', 'the pairs of a process')
      .epilogue('Exit status: 0 healthy, 1 problem found, 2 cannot tell.'),
  failed: CANNOT_TELL,
  async run(args, context) {
    const { print, paint, warn } = context
    await using records = await readableRecords(context)
    const { pairs, unreadable } = await debugVeth(args.which, records)
    if (args.format === 'json') await print(asJson(pairs))
    else if (args.which !== undefined) await print(details(pairs, paint))
    else await print(pairs.length === 0 ? 'no veth pairs\n' : overview(pairs, paint))
    for (const { namespace, error } of unreadable) {
      await warn(`tnet: read namespace ${visible(namespace.path)}: ${visible(asTnetError(error).message)}\n`)
    }
    const kinds = pairs.flatMap(({ problems }) => problems.map(({ kind }) => kind))
    if (kinds.some(kind => kind !== 'unknown')) return PROBLEM
    return kinds.length > 0 || unreadable.length > 0 ? CANNOT_TELL : 0
  },
})

interface Records extends AsyncDisposable {
  recorded?(owner: Owner): Promise<boolean | undefined>
}

/** A store that cannot be read, or a missing one, is no reason not to show what the kernel has. */
async function readableRecords({ folders, warn }: Context): Promise<Records> {
  try {
    const store = await openStore(folders.stateDir, { look: true })
    return {
      recorded: owner => isRecorded(store, owner),
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    }
  } catch (error) {
    await warn(failure(asTnetError(error)))
    return { async [Symbol.asyncDispose]() {} }
  }
}
