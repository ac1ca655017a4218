// Closing after the answer. The kernel closes a netfilter socket only once the memory of the last transaction is free,
// which takes 15 ms: who asked need not wait for that. A process that ends has it done by its end.
import { close } from './syscalls.ts'

const left: number[] = []

export function closeLate(fd: number): void {
  left.push(fd)
}

/** For a process that goes on. */
export function closeLeft(): void {
  left.splice(0).forEach(close)
}
