// nf_tables in the published library: what `nft` is of `import { nft } from 'tnet/netlink'`.
export { attemptBatch, batch, type BatchOptions, type Failure } from './batch.ts'
export { type Chain, type ChainRequest, deleteChain, getChain, hooks, newChain, priorities } from './chain.ts'
export { type Data, value, verdict } from './data.ts'
export { dataTypes, decodeKey, encodeKey, type TypeName } from './data-type.ts'
export { findElements, type Found } from './element-lookup.ts'
export {
  deleteElement,
  type Element,
  element,
  type ElementOptions,
  type Elements,
  type ElementsRequest,
  getElement,
  interval,
  newElement,
  ranges,
} from './element.ts'
export { type Generation, getGeneration, newGeneration } from './generation.ts'
export type { Family } from './message.ts'
export { deleteObject, getObject, newObject, type NftObject, type ObjectRequest } from './object.ts'
export { deleteRule, getRule, newRule, type Rule, type RuleRequest } from './rule.ts'
export { deleteSet, getSet, newSet, type NftSet, setRequest, type SetRequest, type SetSpec } from './set.ts'
export { deleteTable, getTable, newTable, type Table, type TableRequest } from './table.ts'

// Expressions, of which rules consist
export { type Expression, expressionKinds } from './expression.ts'
export { bitwise } from './expr/bitwise.ts'
export { byteorder } from './expr/byteorder.ts'
export { cmp } from './expr/cmp.ts'
export { ct, ctState, ctStatus } from './expr/ct.ts'
export { dynset } from './expr/dynset.ts'
export { addressTypes, fib } from './expr/fib.ts'
export { immediate } from './expr/immediate.ts'
export { log } from './expr/log.ts'
export { lookup } from './expr/lookup.ts'
export { meta } from './expr/meta.ts'
export { nat } from './expr/nat.ts'
export { objref } from './expr/objref.ts'
export { type Field, fields, payload } from './expr/payload.ts'
export { range } from './expr/range.ts'
export { reject } from './expr/reject.ts'
export { jhash, numgen } from './expr/spread.ts'
export { counter, limit } from './expr/stateful.ts'
