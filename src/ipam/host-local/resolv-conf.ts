// DNS settings from a file in the format of resolv.conf(5).
import { readFileSync } from 'node:fs'
import { errnoCode, unwanted } from '../../errors.ts'
import { fileError } from '../../sys/files.ts'
import type { Dns } from '../ipam.ts'

/** Throws BAD_CONFIG where there is no such file, IO, PERMISSION. */
export function readResolvConf(path: string): Dns {
  try {
    return parseResolvConf(readFileSync(path, 'utf8'))
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') throw unwanted('ipam.resolvConf', 'a file that exists', path)
    throw fileError('read ipam.resolvConf', path, error)
  }
}

/** Unknown words are left out; of several `domain` lines the last one counts, the others add up. */
export function parseResolvConf(text: string): Dns {
  const nameservers: string[] = []
  const search: string[] = []
  const options: string[] = []
  let domain: string | undefined
  for (const line of text.split('\n')) {
    const [word, ...values] = line.trim().split(/\s+/)
    if (values.length === 0 || word === undefined || /^[#;]/.test(word)) continue
    if (word === 'nameserver') nameservers.push(values[0] ?? '')
    if (word === 'domain') domain = values[0]
    if (word === 'search') search.push(...values)
    if (word === 'options') options.push(...values)
  }
  return {
    ...(nameservers.length > 0 ? { nameservers } : {}),
    ...(domain === undefined ? {} : { domain }),
    ...(search.length > 0 ? { search } : {}),
    ...(options.length > 0 ? { options } : {}),
  }
}
