import t from 'tap'
import { parseOptions } from '../../../src/engine/networks/options.ts'

const IPV4 = new Set([4] as const)

t.test('Docker names and short ones', async t => {
  t.same(parseOptions({}, IPV4), { bridge: undefined, masquerade: true, icc: true, mtu: undefined })
  const long = {
    'com.docker.network.bridge.name': 'br0',
    'com.docker.network.bridge.enable_ip_masquerade': 'false',
    'com.docker.network.bridge.enable_icc': '0',
    'com.docker.network.driver.mtu': '9000',
  }
  const short = { bridge: 'br0', masquerade: 'no', icc: 'F', mtu: '9000' }
  t.same(parseOptions(long, IPV4), { bridge: 'br0', masquerade: false, icc: false, mtu: 9000 })
  t.same(parseOptions(short, IPV4), parseOptions(long, IPV4))
})

t.test('what is refused', async t => {
  const refused: Record<string, string>[] = [
    { nope: '1' },
    { 'com.docker.network.bridge.host_binding_ipv4': '0.0.0.0' },
    { mtu: '1', 'com.docker.network.driver.mtu': '1' },
    { bridge: '' },
    { bridge: 'a/b' },
    { bridge: 'x'.repeat(16) },
    { masquerade: 'maybe' },
    { icc: '' },
    { mtu: '67' },
    { mtu: '65536' },
    { mtu: '1500.5' },
    { mtu: '-1' },
    { mtu: '1e3' },
    { __proto__x: '1' },
  ]
  for (const options of refused) {
    t.throws(() => parseOptions(options, IPV4), { code: 'BAD_CONFIG' }, JSON.stringify(options))
  }
  t.throws(() => parseOptions({ mtu: '1279' }, new Set([6] as const)), { code: 'BAD_CONFIG' })
  t.throws(() => parseOptions(JSON.parse('{"__proto__":"1"}'), IPV4), { code: 'BAD_CONFIG' })
  t.throws(() => parseOptions({ constructor: '1' }, IPV4), { code: 'BAD_CONFIG' })
})
