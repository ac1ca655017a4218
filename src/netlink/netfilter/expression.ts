// Every expression that a rule may consist of. A new one is a file in expr/ and a row here.
import type { ValueOf } from '../../wire/codec.ts'
import { attributes } from '../../wire/attributes.ts'
import { bitwiseAttributes } from './expr/bitwise.ts'
import { byteorderAttributes } from './expr/byteorder.ts'
import { cmpAttributes } from './expr/cmp.ts'
import { matchAttributes, targetAttributes } from './expr/compat.ts'
import { ctAttributes } from './expr/ct.ts'
import { dynsetAttributes } from './expr/dynset.ts'
import { fibAttributes } from './expr/fib.ts'
import { immediateAttributes } from './expr/immediate.ts'
import { logAttributes } from './expr/log.ts'
import { lookupAttributes } from './expr/lookup.ts'
import { metaAttributes } from './expr/meta.ts'
import { masqAttributes, natAttributes, redirAttributes } from './expr/nat.ts'
import { objrefAttributes } from './expr/objref.ts'
import { payloadAttributes } from './expr/payload.ts'
import { rangeAttributes } from './expr/range.ts'
import { rejectAttributes } from './expr/reject.ts'
import { hashAttributes, numgenAttributes } from './expr/spread.ts'
import { expressionOf, statefulKinds } from './stateful-expression.ts'

/** By the kernel's names. */
export const expressionKinds = {
  ...statefulKinds,
  bitwise: bitwiseAttributes,
  byteorder: byteorderAttributes,
  cmp: cmpAttributes,
  ct: ctAttributes,
  dynset: dynsetAttributes,
  fib: fibAttributes,
  hash: hashAttributes,
  immediate: immediateAttributes,
  log: logAttributes,
  lookup: lookupAttributes,
  masq: masqAttributes,
  match: matchAttributes,
  meta: metaAttributes,
  nat: natAttributes,
  notrack: attributes({}),
  numgen: numgenAttributes,
  objref: objrefAttributes,
  payload: payloadAttributes,
  range: rangeAttributes,
  redir: redirAttributes,
  reject: rejectAttributes,
  target: targetAttributes,
}

export const expression = expressionOf(expressionKinds)
export type Expression = ValueOf<typeof expression>
