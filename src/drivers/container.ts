// The namespace of another container, the donor, as a container's: nothing is made, and nothing is to be removed.
import { TnetError, unwanted } from '../errors.ts'
import { seekDonor } from '../net/donor.ts'
import type { Host } from '../net/host.ts'
import { badNetns } from '../net/netns.ts'
import type { Sandbox } from '../net/sandbox.ts'
import type { Link } from '../netlink/route/link.ts'
import type { Linkless } from './driver.ts'
import { refusePorts, type SharedConfig, toldOf } from './shared.ts'

export interface ContainerConfig extends SharedConfig {
  /** The id of a container, or the name of a sandbox. */
  readonly container?: string | undefined
  /** Where sandboxes are named. */
  readonly folders: readonly string[]
}

export interface ContainerOptions {
  readonly container: string
  readonly folders: readonly string[]
}

export const container: Linkless<ContainerConfig, ContainerOptions> = {
  name: 'container',
  parse(config) {
    refusePorts(config, 'container')
    const { container: donor = '', folders } = config
    if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/.test(donor)) {
      throw unwanted('container', 'the id of a container, or the name of a sandbox', donor)
    }
    return { container: donor, folders }
  },
  parseLeaving: ({ container: donor = '', folders = [] }) => ({ container: donor, folders }),

  async attach({ options }, { sandbox }, host) {
    const where = await seekDonor({ ...options, sandbox, host })
    if (where === 'nowhere') {
      throw new TnetError(
        'NOT_FOUND',
        `container ${options.container}: there is none of this id or name`,
        'start it before the containers that share its network',
      )
    }
    if (where === 'elsewhere')
      throw badNetns(sandbox.path, `it is not that of container ${options.container}`)
    const links = await attachedLinks(sandbox)
    if (links.length > 0) return toldOf(sandbox, sandbox.path, links)
    throw new TnetError(
      'NOT_FOUND',
      `container ${options.container}: it is attached to no network`,
      'attach it before the containers that share its network',
    )
  },

  async detach() {},

  async check({ options }, { sandbox }, host) {
    await checkDonor(options, sandbox, host)
  },
}

async function checkDonor(options: ContainerOptions, sandbox: Sandbox, host: Host): Promise<void> {
  const where = await seekDonor({ ...options, sandbox, host })
  const isThere = where === 'here' && (await attachedLinks(sandbox)).length > 0
  if (isThere) return
  throw new TnetError(
    'CHECK_FAILED',
    `container ${options.container}, whose network is shared, is gone from ${sandbox.path}`,
    'start it again, and then the containers that share its network',
  )
}

async function attachedLinks(sandbox: Sandbox): Promise<Link[]> {
  const links = await sandbox.links.list()
  return links.filter(({ flags }) => !flags.has('loopback') && flags.has('up'))
}
