// A view of cgroups that every OCI runtime understands: version 2 alone, in this mount namespace.
import { attempt, run } from './run.ts'

const CGROUPS = '/sys/fs/cgroup'

export async function ownCgroups(): Promise<void> {
  await attempt('umount', ['--recursive', CGROUPS])
  await run('mount', ['-t', 'cgroup2', 'cgroup2', CGROUPS])
}
