// tnet debug: what is the matter?
import { group } from '../command.ts'
import { debugVethCommand } from './debug-veth.ts'

export const debug = group(
  'debug',
  'Find out what is wrong',
  [debugVethCommand],
  [['$0 debug veth', 'every veth pair']],
)
