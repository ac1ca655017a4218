// immediate: a constant into a register; a verdict, where that is the verdict's register.
import { attributes, nested } from '../../../wire/attributes.ts'
import { data, register, VERDICT, verdict, type VerdictName } from '../data.ts'

/** NFTA_IMMEDIATE_* */
export const immediateAttributes = attributes({ dreg: [1, register], data: [2, nested(data)] })

function decide(name: VerdictName, chain?: string) {
  return { name: 'immediate', data: { dreg: VERDICT, data: verdict(name, chain) } } as const
}

export const immediate = {
  load: (register: number, value: Uint8Array) =>
    ({ name: 'immediate', data: { dreg: register, data: { value } } }) as const,
  accept: () => decide('accept'),
  drop: () => decide('drop'),
  return: () => decide('return'),
  continue: () => decide('continue'),
  jump: (chain: string) => decide('jump', chain),
  goto: (chain: string) => decide('goto', chain),
}
