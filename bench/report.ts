// Medians and ratios of what was measured: a table for people, or JSON.
import { cpus, release, totalmem } from 'node:os'
import type { Pair, Series } from './cases.ts'

/** A plugin's process is to use at most so many MiB. */
const MEMORY_GOAL = 45

export interface Row {
  readonly name: string
  readonly rounds: number
  /** Medians. */
  readonly milliseconds: readonly [ours: number, against: number]
  /** The median of the ratios of the rounds. */
  readonly ratio: number
  readonly goal: number | null
  /** CPU milliseconds, medians; of many at a time the sum. */
  readonly cpu: readonly [ours: number, against: number]
  /** Peaks. */
  readonly mebibytes: readonly [ours: number, against: number]
}

export interface Report {
  readonly directories: Pair
  readonly machine: string
  readonly memoryGoal: number
  /** So many processes stood by. CPU time and memory are then those of the launchers alone. */
  readonly standby: number
  readonly rows: readonly Row[]
}

export function report(pair: Pair, all: readonly Series[], standby: number): Report {
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${memory}, Linux ${release()}`
  return { directories: pair, machine, memoryGoal: MEMORY_GOAL, standby, rows: all.map(row) }
}

function row({ name, goal, samples }: Series): Row {
  const side = (n: 0 | 1) => median(samples.map(({ milliseconds }) => milliseconds[n]))
  const cpu = (n: 0 | 1) => median(samples.map(sample => sample.cpu[n]))
  const peak = (n: 0 | 1) => Math.max(...samples.map(({ mebibytes }) => mebibytes[n]))
  return {
    name,
    rounds: samples.length,
    milliseconds: [side(0), side(1)],
    ratio: median(samples.map(({ milliseconds: [ours, against] }) => ours / against)),
    goal: goal ?? null,
    cpu: [cpu(0), cpu(1)],
    mebibytes: [peak(0), peak(1)],
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle) - 1] ?? NaN)) / 2
}

const HEAD = ['', 'tnet ms', 'other ms', 'ratio', 'goal', '', 'tnet CPU ms', 'other', 'tnet MiB', 'other']

export function table({ directories: [ours, against], machine, rows, memoryGoal, standby }: Report): string {
  const cells = rows.map(({ name, milliseconds, ratio, goal, cpu, mebibytes }) => [
    name,
    ...milliseconds.map(time => time.toFixed(1)),
    ratio.toFixed(2),
    goal === null ? '' : `<= ${goal.toFixed(1)}`,
    goal === null ? '' : ratio <= goal ? 'reached' : 'missed',
    ...cpu.map(time => time.toFixed(1)),
    ...mebibytes.map(size => size.toFixed(1)),
  ])
  const widths = HEAD.map((head, column) =>
    Math.max(...[head, ...cells.map(line => line[column] ?? '')].map(text => text.length)),
  )
  const line = (texts: readonly string[]) =>
    texts
      .map((text, column) =>
        column === 0 || column === 5 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0),
      )
      .join('  ')
  const most = Math.max(...rows.map(({ mebibytes }) => mebibytes[0]))
  return [
    `tnet: ${ours}; other: ${against}`,
    machine,
    '',
    ...[HEAD, ...cells].map(line).map(text => text.trimEnd()),
    '',
    `Medians of paired rounds, in turns; the ratio is the median of the rounds' ratios.`,
    ...(standby === 0
      ? []
      : [`${standby} processes of tnet stood by: CPU time and memory are those of the launchers alone.`]),
    `Peak memory of a process of tnet: ${most.toFixed(1)} MiB, goal <= ${memoryGoal}: ${most <= memoryGoal ? 'reached' : 'missed'}`,
  ].join('\n')
}
