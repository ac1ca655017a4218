// What `npm run demo` runs: the main job, step by step, each a command that the reader could type, with its output.
// It has network and mount namespaces of its own; the machine's network is not touched.
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readlinkSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { isolation, which } from '../test/harness/isolation.ts'

const BIN = resolve(import.meta.dirname, '../dist/bin')
const MARK = 'TNET_DEMO_OUTSIDE'

const CONFIGURATION = `{
  "cniVersion": "1.0.0", "name": "pods", "type": "bridge", "bridge": "cni0",
  "isDefaultGateway": true, "ipMasq": true,
  "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.88.0.0/16" }], [{ "subnet": "fd00:88::/64" }]] }
}
`

/** Replaces this process by one in fresh namespaces, with an empty /run and /var/lib. */
function isolate(): void {
  const own = readlinkSync('/proc/self/ns/net')
  if (process.env[MARK] !== undefined && process.env[MARK] !== own) {
    for (const folder of ['/run', '/var/lib']) must('mount', '-t', 'tmpfs', 'tnet', folder)
    return
  }
  const found = isolation({ unshare: 'util-linux', mount: 'util-linux' })
  if ('missing' in found) {
    process.stderr.write(`demo: missing: ${found.missing}\n`)
    process.exit(1)
  }
  const args = ['unshare', ...found.unshare, process.execPath, ...process.argv.slice(1)]
  process.execve?.(which('unshare') ?? '', args, { ...process.env, [MARK]: own })
}

function must(file: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(file, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${file} ${args.join(' ')}: ${stderr}`)
}

const environment: NodeJS.ProcessEnv = { ...process.env, PATH: `${BIN}:${process.env['PATH'] ?? ''}` }

function say(text: string): void {
  process.stdout.write(`\n# ${text}\n`)
}

/** Shows a command, runs it, shows what it printed; one that fails ends the demo. */
function step(command: string, expected = 0): void {
  process.stdout.write(`$ ${command}\n`)
  const { status } = spawnSync('sh', ['-c', command], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: environment,
    cwd: '/run',
  })
  if (status === expected) return
  process.stderr.write(`demo: exit status ${status}, want ${expected}\n`)
  process.exit(1)
}

/** Shows a command, leaves it running until `use` is done, which starts once `ready` succeeds. */
async function meanwhile(command: string, ready: string, use: () => void): Promise<void> {
  process.stdout.write(`$ ${command} &\n`)
  const child = spawn('sh', ['-c', `exec ${command}`], { stdio: 'ignore', env: environment, cwd: '/run' })
  try {
    while (child.exitCode === null && spawnSync('sh', ['-c', ready], { env: environment }).status !== 0) {
      await new Promise(resume => setTimeout(resume, 50))
    }
    use()
  } finally {
    child.kill('SIGKILL')
    await new Promise(done => child.once('close', done))
  }
}

function fetching(sandbox: string, url: string): string {
  return `tnet sandbox exec ${sandbox} python3 -c 'import urllib.request as u; print(u.urlopen("${url}", timeout=2).read())'`
}

const SERVER = 'tnet sandbox exec web python3 -m http.server --directory /run/site --bind :: 80'

isolate()

say('A network, two sandboxes on it.')
step('tnet network create --subnet 10.1.0.0/24 --ipv6 --subnet fd00:1::/64 demo')
step('tnet sandbox create web')
step('tnet sandbox create client')
step('tnet network connect demo web')
step('tnet network connect demo client')
step('tnet network ls')

say('They talk to each other, over IPv4 and IPv6.')
mkdirSync('/run/site')
writeFileSync('/run/site/index.html', 'hello\n')
await meanwhile(SERVER, fetching('web', 'http://127.0.0.1/'), () => {
  step(fetching('client', 'http://10.1.0.2/'))
  step(fetching('client', 'http://[fd00:1::2]/'))
})

say('A sandbox on another network gets no answer: networks are isolated from each other.')
step('tnet network create other')
step('tnet sandbox create stranger')
step('tnet network connect other stranger')
await meanwhile(SERVER, fetching('web', 'http://127.0.0.1/'), () => {
  step(`${fetching('stranger', 'http://10.1.0.2/')} 2>&1 | tail -1`)
})

say('Which veth is whose, and is it well?')
step('tnet debug veth 10.1.0.2')

say('The same plugins as a container runtime calls them.')
process.stdout.write(`$ cat pods.conf\n${CONFIGURATION}`)
writeFileSync('/run/pods.conf', CONFIGURATION)
environment['CNI_PATH'] = BIN
process.stdout.write(
  '$ export CNI_PATH=dist/bin CNI_CONTAINERID=pod1 CNI_NETNS=/run/tnet/netns/pod CNI_IFNAME=eth0\n',
)
Object.assign(environment, { CNI_CONTAINERID: 'pod1', CNI_NETNS: '/run/tnet/netns/pod', CNI_IFNAME: 'eth0' })
step('tnet sandbox create pod')
step('CNI_COMMAND=ADD bridge < pods.conf')
process.stdout.write('\n')
step('CNI_COMMAND=DEL bridge < pods.conf')
step('CNI_COMMAND=DEL bridge < pods.conf  # what is gone already is success')

say('Everything is taken down.')
step('tnet network disconnect demo web')
step('tnet network disconnect demo client')
step('tnet network disconnect other stranger')
step('tnet network rm demo other')
step('tnet sandbox rm web client stranger pod')
step('tnet network ls')
