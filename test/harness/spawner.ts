// Starts programs from a small process that does nothing else: see spawner.c for why, and for the frames.
import { spawn as spawnChild } from 'node:child_process'
import { Socket } from 'node:net'
import { ownTool } from './tools.ts'

export interface Start {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly input: string
  /** A path; empty for that of the test. */
  readonly netns: string
}

export interface Ended {
  /** As waitpid(2) tells it; a negative errno where it was not started. */
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

const waiting = new Map<number, (ended: Ended) => void>()
let streams: ReturnType<typeof open> | undefined
let starts = 0

/** Answers when the program has ended and its output is closed. It is killed after so many milliseconds. */
export function spawn(start: Start, timeout: number): Promise<Ended> {
  const { requests, answers } = (streams ??= open())
  const id = ++starts
  return new Promise(resolve => {
    const timer = setTimeout(() => requests.write(integers(8, id, 0)), timeout)
    answers.ref()
    waiting.set(id, ended => {
      clearTimeout(timer)
      waiting.delete(id)
      if (waiting.size === 0) answers.unref()
      resolve(ended)
    })
    requests.write(request(id, start))
  })
}

/** The process ends with the test; it does not keep the test from ending. */
function open(): { requests: Socket; answers: Socket } {
  const child = spawnChild(ownTool('spawner'), { stdio: ['pipe', 'pipe', 'inherit'] })
  child.unref()
  const [requests, answers] = [child.stdin, child.stdout]
  if (!(requests instanceof Socket && answers instanceof Socket)) throw new Error('pipes are sockets to Node')
  requests.unref()
  answers.unref()
  let had = Buffer.alloc(0)
  answers.on('data', (chunk: Buffer) => {
    had = Buffer.concat([had, chunk])
    while (had.length >= 4 && had.length >= 4 + had.readUInt32LE()) {
      const end = 4 + had.readUInt32LE()
      const text = 16 + had.readUInt32LE(12)
      waiting.get(had.readUInt32LE(4))?.({
        status: had.readInt32LE(8),
        stdout: had.toString('utf8', 16, text),
        stderr: had.toString('utf8', text, end),
      })
      had = had.subarray(end)
    }
  })
  return { requests, answers }
}

function request(id: number, { argv, env, cwd, input, netns }: Start): Buffer {
  const variables = Object.entries(env).filter(([, value]) => value !== undefined)
  const texts = [netns, cwd, ...argv, ...variables.map(([name, value]) => `${name}=${value}`)]
  const words = Buffer.from(texts.map(text => `${text}\0`).join(''))
  const bytes = Buffer.from(input)
  const length = 16 + words.length + bytes.length
  return Buffer.concat([integers(length, id, argv.length, variables.length, bytes.length), words, bytes])
}

function integers(...values: number[]): Buffer {
  return Buffer.from(Uint32Array.from(values).buffer)
}
