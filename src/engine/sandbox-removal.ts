// Removes a named sandbox, which has to be off all networks.
import { TnetError } from '../errors.ts'
import { findNamed, removeNamed } from '../net/netns-names.ts'
import { disconnect, networksOf } from './networks/disconnect.ts'
import { type MachineOptions, openMachine } from './networks/machine.ts'

/** Throws NOT_FOUND, and IN_USE naming the networks that it is on unless `force`, which disconnects it. */
export async function removeSandbox(
  options: MachineOptions,
  name: string,
  { force }: { readonly force: boolean },
): Promise<void> {
  findNamed(options.runDir, name)
  await using machine = await openMachine(options)
  const networks = await networksOf(machine, name, '/')
  if (networks.length > 0 && !force) {
    throw new TnetError(
      'IN_USE',
      `remove sandbox ${name}: it is on ${networks.map(each => each.name).join(', ')}`,
      `tnet sandbox rm --force ${name} disconnects it first`,
    )
  }
  for (const { id } of networks)
    await disconnect(machine, { network: id, sandbox: name, cwd: '/', force: true })
  await removeNamed(options.runDir, name)
}
