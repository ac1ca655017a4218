import { execFileSync } from 'node:child_process'
import t from 'tap'
import { driverOfPci, isDevice, linksAt, linksOfAuxiliary, linksOfPci } from '../../src/net/device-files.ts'
import { isolated } from '../harness/namespaces.ts'

isolated(import.meta)

const TREE = `
  mount -t sysfs tnet /sys; mount -t tmpfs tnet /sys/bus
  mkdir -p /sys/bus/auxiliary/devices/mlx5_core.sf.2/net/card
  cd /sys/bus; mkdir -p pci/devices; cd pci/devices
  mkdir -p 0000:01:00.0/net/second 0000:01:00.0/net/first 0000:01:00.1/virtio7/net/card 0000:01:00.2
  ln -s ../../../drivers/vfio-pci 0000:01:00.2/driver`

t.test('the files of sysfs', async t => {
  execFileSync('sh', ['-ec', TREE])
  t.teardown(() => execFileSync('umount', ['/sys/bus', '/sys']))
  t.strictSame(linksAt('/sys/devices/virtual'), ['lo'], 'the real ones of this namespace')
  t.strictSame(linksAt('/sys/devices/none'), [])
  t.strictSame(linksOfPci('0000:01:00.0'), ['first', 'second'])
  t.strictSame(linksOfPci('0000:01:00.1'), ['card'], 'by virtio')
  t.strictSame(linksOfPci('0000:01:00.2'), [])
  t.strictSame(linksOfPci('0000:01:00.3'), [])
  t.strictSame(linksOfAuxiliary('mlx5_core.sf.2'), ['card'])
  t.equal(driverOfPci('0000:01:00.2'), 'vfio-pci')
  t.equal(driverOfPci('0000:01:00.0'), undefined)
  t.equal(driverOfPci('0000:01:00.3'), undefined)
  t.strictSame([isDevice.pci('0000:01:00.2'), isDevice.pci('0000:01:00.3')], [true, false])
  t.strictSame([isDevice.auxiliary('mlx5_core.sf.2'), isDevice.auxiliary('none')], [true, false])
  t.strictSame([isDevice.at('/sys/devices/virtual'), isDevice.at('/sys/devices/none')], [true, false])
})
