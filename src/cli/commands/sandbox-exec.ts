// tnet sandbox exec
import { TnetError } from '../../errors.ts'
import { execInSandbox } from '../../engine/exec.ts'
import { sandboxPath } from '../../engine/sandboxes.ts'
import { callerEnvironment } from '../../sys/environment.ts'
import { command } from '../command.ts'
import { failure } from '../text.ts'

export const sandboxExec = command({
  command: 'exec <sandbox>',
  describe: 'Run a program in a sandbox',
  builder: yargs =>
    yargs
      .usage('$0 sandbox exec SANDBOX PROGRAM [ARGUMENT...]')
      .positional('sandbox', {
        describe: 'a name, a path of a namespace, or pid:N',
        type: 'string',
        demandOption: true,
      })
      .example('$0 sandbox exec web ping -c 1 172.18.0.1', 'all after the sandbox belongs to the program')
      .epilogue('The exit status is that of the program; 126: it cannot be run, 127: there is none.'),
  async run(args, { io, warn, folders: { runDir } }) {
    const [program, ...rest] = (args['--'] as string[] | undefined) ?? []
    if (program === undefined) {
      throw new TnetError(
        'BAD_CONFIG',
        `run in ${args.sandbox}: which program?`,
        'tnet sandbox exec SANDBOX PROGRAM [ARGUMENT...]',
      )
    }
    const { cwd } = io
    const path = sandboxPath({ runDir, cwd }, args.sandbox)
    const env = callerEnvironment(io.env)
    const { status, error } = await execInSandbox(path, { argv: [program, ...rest], env, cwd })
    await warn(failure(error))
    return status
  },
})
