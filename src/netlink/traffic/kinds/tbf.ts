// The token bucket filter: a rate, and a burst above it. include/uapi/linux/pkt_sched.h, net/sched/sch_tbf.c
import { attributes } from '../../../wire/attributes.ts'
import { bytes, enumeration, u16, u32, u64, u8 } from '../../../wire/codec.ts'
import { struct } from '../../../wire/struct.ts'

/** struct tc_ratespec { unsigned char cell_log; __u8 linklayer; unsigned short overhead; short cell_align; unsigned short mpu; __u32 rate; } */
const ratespec = struct({
  cellLog: u8,
  /** With `unaware` the kernel looks into the rate table, which is of no other use to it. */
  linkLayer: enumeration(u8, { unaware: 0, ethernet: 1, atm: 2 }),
  overhead: u16,
  cellAlign: u16,
  mpu: u16,
  /** Bytes a second; 4294967295 where that does not fit, and `rate64` says it. */
  rate: u32,
})

/** struct tc_tbf_qopt */
const parameters = struct({
  rate: ratespec,
  peakRate: ratespec,
  /** The bytes that may wait. */
  limit: u32,
  /** The burst, as the time that it takes at the rate, in ticks of 64 ns. The kernel ignores it where there is `burst`. */
  buffer: u32,
  /** As `buffer`, at the peak rate. */
  mtu: u32,
})

/** TCA_TBF_* */
export const tbf = attributes({
  parameters: [1, parameters],
  rateTable: [2, bytes],
  peakRateTable: [3, bytes],
  rate64: [4, u64],
  peakRate64: [5, u64],
  /** Bytes. Only in requests. */
  burst: [6, u32],
  peakBurst: [7, u32],
})

/** The time of a tick of `buffer`. */
export const TICK_NANOSECONDS = 64
