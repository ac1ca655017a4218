// Netlink traffic as text, for those who look into what tnet does. The tables that name everything are loaded when asked for.
import type { HostOptions } from './host.ts'

/** A trace for hosts and sandboxes that hands `write` one message at a time, in lines of text. */
export async function netlinkTrace(write: (text: string) => void): Promise<HostOptions['trace']> {
  const { tracer } = await import('../netlink/trace.ts')
  return tracer(write)
}
