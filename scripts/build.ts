// Builds dist/bin, a complete CNI plugin directory: one runtime, the launcher as `tnet` with a link for each plugin,
// the addon beside them.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { generate } from './validators.ts'

const ROOT = join(import.meta.dirname, '..')
const BIN = join(ROOT, 'dist/bin')

/** The names by which the runtime is called: the files of plugins/, but for its entry. */
function pluginNames(): string[] {
  const names = readdirSync(join(ROOT, 'plugins')).map(file => file.replace(/\.ts$/, ''))
  return names.filter(name => name !== 'main')
}

function compile(output: string): void {
  const bun = join(ROOT, 'node_modules/.bin/bun')
  const options = [
    '--compile',
    '--minify',
    '--bytecode',
    '--splitting',
    '--format=esm',
    '--no-compile-autoload-dotenv',
    '--no-compile-autoload-bunfig',
    '--define',
    'TNET_COMPILED=true',
    '--outfile',
    output,
  ]
  execFileSync(bun, ['build', ...options, join(ROOT, 'plugins/main.ts')], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

export async function build(): Promise<void> {
  const next = `${BIN}.next`
  await generate(join(ROOT, 'src/cni/generated'))
  rmSync(next, { recursive: true, force: true })
  mkdirSync(next, { recursive: true })
  compile(join(next, 'tnet-runtime'))
  copyFileSync(join(ROOT, 'build/Release/launcher'), join(next, 'tnet'))
  copyFileSync(join(ROOT, 'build/Release/tnet.node'), join(next, 'tnet.node'))
  for (const name of pluginNames()) symlinkSync('tnet', join(next, name))
  rmSync(BIN, { recursive: true, force: true })
  renameSync(next, BIN)
}

if (import.meta.main) await build()
