// A small virtual machine on Debian's kernel that runs test files, one after the other, over this machine's files.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  accessSync,
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { initramfs } from './initramfs.ts'
import type { Kernel } from './kernel.ts'

export const QEMU = 'qemu-system-x86_64'

/** By the processor, or in software, where programs take 20 to 30 times as long. */
export type Acceleration = 'kvm' | 'tcg'

export interface Machine extends AsyncDisposable {
  /** `minutes`: it may take no longer, or the machine is ended. */
  run(file: string, minutes: number): TestRun
  /** The end of what the kernel said. */
  log(): string
}

export interface TestRun {
  /** What `node FILE` prints, as it comes. Throws where the machine ends before the file does. */
  readonly lines: AsyncIterable<string>
  /** The exit status, once `lines` has ended. */
  readonly status: () => number | undefined
}

const BOOT_LIMIT: Readonly<Record<Acceleration, number>> = { kvm: 30_000, tcg: 300_000 }
const LOG_LINES = 30

/** Only a processor that virtualizes runs a stock kernel: /dev/kvm may be there without. */
export function hasKvm(): boolean {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK)
  } catch {
    return false
  }
  return /^flags\s*:.* (vmx|svm)\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'))
}

/** `env` is what the tests get. Throws where it does not come up in time. */
export async function boot(
  kernel: Kernel,
  acceleration: Acceleration,
  env: Readonly<Record<string, string>>,
): Promise<Machine> {
  using initrd = unnamedFile(new Uint8Array(initramfs(kernel, guestCommand(env))))
  const log = unnamedFile()
  const qemu = spawn('setpriv', ['--pdeathsig', 'KILL', QEMU, ...options(kernel, acceleration)], {
    stdio: ['pipe', 'pipe', 'inherit', initrd.fd, log.fd],
  })
  const ended = once(qemu, 'close')
  const { stdin, stdout } = qemu
  if (stdin === null || stdout === null) throw new Error(`${QEMU}: no pipes`)
  // Where it cannot be started or has ended, its output ends: that is what tells.
  qemu.on('error', () => {})
  stdin.on('error', () => {})
  const output = createInterface(stdout)[Symbol.asyncIterator]()
  const end = () => qemu.kill('SIGKILL')
  const machine: Machine = {
    run(file, minutes) {
      let status: number | undefined
      async function* lines(): AsyncGenerator<string> {
        stdin?.write(`${file}\n`)
        const limit = setTimeout(end, minutes * 60_000)
        try {
          for (;;) {
            const { value, done } = await output.next()
            if (done === true)
              throw new Error(`${file}: the virtual machine ended (limit: ${minutes} minutes)`)
            const [, rest = value, code] = /^(.*)\0exit (\d+)$/.exec(value) ?? []
            if (rest !== '' || code === undefined) yield rest
            if (code === undefined) continue
            status = Number(code)
            return
          }
        } finally {
          clearTimeout(limit)
        }
      }
      return { lines: lines(), status: () => status }
    },
    log: () => log.text().trimEnd().split('\n').slice(-LOG_LINES).join('\n'),
    async [Symbol.asyncDispose]() {
      end()
      await ended
      log[Symbol.dispose]()
    },
  }
  const limit = setTimeout(end, BOOT_LIMIT[acceleration])
  const first = await output.next()
  clearTimeout(limit)
  if (first.value === 'ready') return machine
  const said = machine.log()
  await machine[Symbol.asyncDispose]()
  throw new Error(`the virtual machine does not come up (${acceleration}):\n${said}`)
}

/** The files are those that it has inherited: see `boot`. */
function options(kernel: Kernel, acceleration: Acceleration): string[] {
  // In software a second processor makes the first one slower, and string instructions copy byte by byte. Time goes by
  // instructions, a nanosecond each, so that a time limit means there what it means elsewhere.
  const processor =
    acceleration === 'kvm'
      ? '-accel kvm -cpu host -smp 2'
      : '-accel tcg,thread=single -icount shift=0 -cpu max,-erms,-fsrm -smp 1'
  const line = `
    ${processor} -m 2048 -nodefaults -display none -no-reboot
    -initrd /dev/fd/3 -serial file:/dev/fd/4
    -virtfs local,path=/,mount_tag=files,security_model=none,readonly=on,multidevs=remap
    -chardev stdio,id=tests,signal=off -device virtio-serial -device virtserialport,chardev=tests,name=tests`
  // On a busy machine the timer of an emulated one comes too late for the kernel's check of it, which panics.
  const append =
    'console=ttyS0 panic=-1 loglevel=5 mitigations=off no_timer_check init_on_alloc=0 clearcpuid=rep_good'
  return [...line.trim().split(/\s+/), '-kernel', kernel.image, '-append', append]
}

interface UnnamedFile extends Disposable {
  readonly fd: number
  text(): string
}

/** Whatever ends this process, the file goes with it. */
function unnamedFile(content = new Uint8Array()): UnnamedFile {
  const folder = mkdtempSync(join(tmpdir(), 'tnet-vm-'))
  try {
    const path = join(folder, 'file')
    writeFileSync(path, content)
    const fd = openSync(path, 'r+')
    return {
      fd,
      text: () => readFileSync(`/dev/fd/${fd}`, 'utf8'),
      [Symbol.dispose]: () => closeSync(fd),
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The environment is nobody's but the tests'. */
function guestCommand(env: Readonly<Record<string, string>>): string {
  const words = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  return ['exec', 'env', '-i', ...words, join(import.meta.dirname, 'guest')].map(quoted).join(' ')
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
