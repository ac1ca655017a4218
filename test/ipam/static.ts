import t from 'tap'
import { parseStatic, staticAddresses } from '../../src/ipam/static.ts'

const OWNER = { network: 'n', containerId: 'c', ifname: 'eth0' }

t.test('addresses of the section, then those that a caller adds', async t => {
  const ipam = {
    addresses: [{ address: '10.1.0.5/24', gateway: '10.1.0.1' }, { address: 'FD00:0::5/64' }],
    routes: [{ dst: '0.0.0.0/0' }],
    dns: { nameservers: ['192.0.2.53'] },
  }
  t.same(parseStatic({ ipam, more: [{ address: '10.2.0.5/24' }] }), {
    ips: [
      { address: '10.1.0.5/24', gateway: '10.1.0.1' },
      { address: 'fd00::5/64' },
      { address: '10.2.0.5/24' },
    ],
    routes: [{ dst: '0.0.0.0/0' }],
    dns: { nameservers: ['192.0.2.53'] },
  })
})

t.test('what a caller puts in their place', async t => {
  const instead = { key: 'runtimeConfig.ips', addresses: ['10.9.0.9/24'] }
  const { ips } = parseStatic({ ipam: { addresses: [{ address: '10.1.0.5/24' }] }, instead })
  t.same(ips, [{ address: '10.9.0.9/24' }])
})

t.test('BAD_CONFIG', async t => {
  const wrong: unknown[] = [
    'x',
    [5],
    [{}],
    [{ address: '10.1.0.5' }],
    [{ address: '10.1.0.5/33' }],
    [{ address: '010.1.0.5/24' }],
    [{ address: '10.1.0.5/24', gateway: 'fd00::1' }],
    [{ address: '10.1.0.5/24', gateway: '10.1' }],
  ]
  for (const addresses of wrong) {
    t.throws(() => parseStatic({ ipam: { addresses } }), { code: 'BAD_CONFIG' }, JSON.stringify(addresses))
  }
  const instead = { key: 'runtimeConfig.ips', addresses: ['10.9.0.9'] }
  t.throws(() => parseStatic({ ipam: {}, instead }), { code: 'BAD_CONFIG' }, 'without a prefix length')
})

t.test('before 0.3.0 there is room for one address of each family', async t => {
  const ipam = { addresses: [{ address: '10.1.0.5/24' }, { address: 'fd00::5/64' }] }
  const two = { addresses: [...ipam.addresses, { address: '10.1.0.6/24' }] }
  t.equal(parseStatic({ ipam, cniVersion: '0.2.0' }).ips.length, 2)
  t.throws(() => parseStatic({ ipam: two, cniVersion: '0.2.0' }), { code: 'BAD_CONFIG' })
  t.equal(parseStatic({ ipam: two, cniVersion: '0.3.0' }).ips.length, 3)
})

t.test('check: the gateway of an address is that of the answer', async t => {
  const assignment = parseStatic({ ipam: { addresses: [{ address: '10.1.0.5/24', gateway: '10.1.0.1' }] } })
  const check = (told: { address: string; gateway?: string }[]) =>
    staticAddresses(assignment, told).check(OWNER)
  await check([{ address: '10.1.0.5/24', gateway: '10.1.0.1' }])
  await check([{ address: '10.1.0.9/24', gateway: '10.1.0.2' }])
  await t.rejects(check([{ address: '10.1.0.5/24', gateway: '10.1.0.2' }]), { code: 'CHECK_FAILED' })
})

t.test('there is nothing to give back, and always an address', async t => {
  const ipam = staticAddresses(parseStatic({ ipam: { addresses: [{ address: '10.1.0.5/24' }] } }))
  for (const _ of ['once', 'twice']) t.same((await ipam.allocate(OWNER)).ips, [{ address: '10.1.0.5/24' }])
  await ipam.release(OWNER)
  await ipam.gc('n', [])
  await ipam.status('n')
})
