import { execFileSync } from 'node:child_process'
import t from 'tap'
import type { HostDeviceConfig } from '../../src/drivers/host-device/options.ts'
import { hostDevice } from '../../src/drivers/host-device/host-device.ts'
import { compliance, eachCallFails } from '../compliance/driver.ts'
import { isolated, lacks } from '../harness/namespaces.ts'

isolated(import.meta)
t.setTimeout(600_000)

const MAC = '02:00:00:00:00:0a'
const assignment = {
  ips: [{ address: '10.1.0.5/24', gateway: '10.1.0.1' }, { address: 'fd00:1::5/64' }],
  routes: [{ dst: '192.0.2.0/24', gw: '10.1.0.9' }],
  dns: {},
}

function shell(script: string): void {
  execFileSync('sh', ['-ec', script])
}

/** A device of the host, down, as DEL leaves it. */
async function card(): Promise<void> {
  shell(`ip link show card >/dev/null 2>&1 || ip link add card address ${MAC} type veth peer name plug address 02:00:00:00:00:0b
    ip link set card down alias ''
    ip addr flush dev card`)
}

/** One that is in use: its failed moves must end with all of this. */
async function cardInUse(): Promise<void> {
  await card()
  shell(`ip link show br0 >/dev/null 2>&1 || ip link add br0 type bridge
    ip link set card up master br0 alias 'to the rack'
    ip link property add dev card altname to-the-rack 2>/dev/null || true
    ip addr add 10.9.0.1/24 dev card
    ip addr add 10.9.0.2/24 dev card
    ip addr add fd09::1/64 dev card nodad`)
}

await compliance(t, 'by its name', {
  driver: hostDevice,
  inside: true,
  config: { device: 'card' },
  prepare: card,
})
await compliance(t, 'by its hardware address, with addresses', {
  driver: hostDevice,
  inside: true,
  config: { hwaddr: MAC.toUpperCase() },
  prepare: card,
  assignment,
})
await eachCallFails(t, 'in use', {
  driver: hostDevice,
  inside: true,
  config: { device: 'card' },
  prepare: cardInUse,
  assignment,
})

for (const [kind, feature, make] of [
  ['a tap device', 'tun', 'ip tuntap add dev spare mode tap'],
  ['a dummy', 'dummy', 'ip link add spare type dummy'],
] as const) {
  await t.test(kind, { skip: lacks(feature) }, t =>
    compliance(t, kind, {
      driver: hostDevice,
      inside: true,
      config: { device: 'spare' },
      prepare: async () =>
        shell(`ip link show spare >/dev/null 2>&1 || ${make}
          ip link set spare address 02:00:00:00:00:0c`),
    }),
  )
  shell('ip link del spare 2>/dev/null || true')
}

t.test('which device', async t => {
  const selected = (config: HostDeviceConfig) => {
    const { selector } = hostDevice.parse(config)
    return selector === undefined ? undefined : `${selector.by} ${selector.value}`
  }
  const good: [HostDeviceConfig, string | undefined][] = [
    [{}, undefined],
    [{ device: 'eth1' }, 'device eth1'],
    [{ device: 'enp5s0f0np0-of-the-third-rack' }, 'device enp5s0f0np0-of-the-third-rack'],
    [{ hwaddr: '02-00-00-00-00-0A' }, 'hwaddr 02:00:00:00:00:0a'],
    [{ hwaddr: '02:00:5e:10:00:00:00:01' }, 'hwaddr 02:00:5e:10:00:00:00:01'],
    [
      { hwaddr: Array.from({ length: 20 }, () => '0A').join(':') },
      `hwaddr ${Array(20).fill('0a').join(':')}`,
    ],
    [
      { kernelpath: '/sys/devices/pci0000:00/0000:00:1f.6' },
      'kernelpath /sys/devices/pci0000:00/0000:00:1f.6',
    ],
    [{ kernelpath: '/sys/devices/virtual/' }, 'kernelpath /sys/devices/virtual'],
    [{ pciBusID: '0000:00:1F.6' }, 'pciBusID 0000:00:1f.6'],
    [{ pciBusID: '10000:e1:00.0' }, 'pciBusID 10000:e1:00.0'],
    [{ deviceId: '0000:00:1f.6' }, 'pciBusID 0000:00:1f.6'],
    [{ deviceId: 'mlx5_core.sf.2' }, 'auxiliary mlx5_core.sf.2'],
    [{ deviceId: '0000:00:1f.6', device: 'eth1', pciBusID: '0000:00:02.0' }, 'pciBusID 0000:00:1f.6'],
  ]
  for (const [config, wanted] of good) t.equal(selected(config), wanted, JSON.stringify(config))

  const bad: HostDeviceConfig[] = [
    { device: 'a/b' },
    { device: 'a b' },
    { device: 'x'.repeat(128) },
    { device: 'lo' },
    { device: 'eth1', hwaddr: MAC },
    { kernelpath: '/sys/devices/a', pciBusID: '0000:00:1f.6' },
    { hwaddr: '02:00:00:00:00' },
    { hwaddr: '02:00:00:00:00:0a:0b' },
    { hwaddr: 'card' },
    { kernelpath: '/sys/class/net/eth0' },
    { kernelpath: '/sys/devices/../class/net' },
    { kernelpath: 'sys/devices/a' },
    { pciBusID: '00:1f.6' },
    { pciBusID: '0000:00:1f.8' },
    { pciBusID: '../0000:00:1f.6' },
    { deviceId: '../../etc' },
    { deviceId: 'eth1' },
  ]
  for (const config of bad) {
    t.throws(() => hostDevice.parse(config), { code: 'BAD_CONFIG' }, JSON.stringify(config))
    t.equal(hostDevice.parseLeaving(config).selector, undefined, 'DEL does without')
  }
})
