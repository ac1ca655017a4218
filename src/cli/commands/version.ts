// tnet version
import { VERSION } from '../../version.ts'
import { command, format } from '../command.ts'
import { json } from '../text.ts'

export { VERSION }

export const version = command({
  command: 'version',
  describe: 'Show the version',
  builder: yargs => yargs.option('format', format).example('$0 version --format json', 'for a program'),
  async run(args, { print }) {
    await print(args.format === 'json' ? `${json({ Version: VERSION })}\n` : `tnet ${VERSION}\n`)
  },
})
