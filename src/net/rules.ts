// Rules of one namespace that choose a routing table by the source address.
import { AF_INET, AF_INET6, AF_UNSPEC } from '../netlink/route/family.ts'
import { deleteRule, getRule, newRule, type Rule, type RuleRequest } from '../netlink/route/rule.ts'
import { type NetlinkSocket, type Request, request } from '../netlink/socket.ts'
import { NLM_F_CREATE, NLM_F_EXCL } from '../wire/message.ts'

/** What marks our rules for `ip rule`: `proto 116`. */
export const RULE_PROTOCOL = 116

/** Packets from `source`, an address without prefix length, are routed by `table`. */
export interface SourceRule {
  readonly source: string
  readonly table: number
}

export class Rules {
  readonly #socket: NetlinkSocket

  constructor({ route }: { readonly route: NetlinkSocket }) {
    this.#socket = route
  }

  async list(): Promise<Rule[]> {
    return this.#socket.dump(getRule, { family: AF_UNSPEC }, newRule)
  }

  /** Adds rules; those that are there already are as wanted. */
  async add(rules: readonly SourceRule[]): Promise<void> {
    for (const error of await this.#socket.attempt(rules.map(addSourceRule))) {
      if (error !== undefined && error.code !== 'EEXIST') throw error
    }
  }

  /** Removes rules as `list` tells of them; one that is gone already is as wanted. */
  async remove(rules: readonly Rule[]): Promise<void> {
    const requests = rules.map(rule => request(deleteRule, asRequest(rule)))
    for (const error of await this.#socket.attempt(requests)) {
      if (error !== undefined && error.code !== 'ENOENT') throw error
    }
  }
}

export function addSourceRule({ source, table }: SourceRule): Request {
  const isSix = source.includes(':')
  return request(
    newRule,
    {
      family: isSix ? AF_INET6 : AF_INET,
      sourceLength: isSix ? 128 : 32,
      action: 'to_tbl',
      source,
      table,
      protocol: RULE_PROTOCOL,
    },
    NLM_F_CREATE | NLM_F_EXCL,
  )
}

export function isOurs({ protocol }: Rule): boolean {
  return protocol === RULE_PROTOCOL
}

/** The rule for one address alone; undefined for any other kind. */
export function sourceRuleOf({ source, sourceLength, table, action, family }: Rule): SourceRule | undefined {
  const whole = family === AF_INET6 ? 128 : 32
  if (source === undefined || table === undefined || sourceLength !== whole || action !== 'to_tbl')
    return undefined
  return { source, table }
}

function asRequest({ family, source, sourceLength, table, action, priority, protocol }: Rule): RuleRequest {
  return {
    family,
    sourceLength,
    action,
    ...(source === undefined ? {} : { source }),
    ...(table === undefined ? {} : { table }),
    ...(priority === undefined ? {} : { priority }),
    ...(protocol === undefined ? {} : { protocol }),
  }
}
