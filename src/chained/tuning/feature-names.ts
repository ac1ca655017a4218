// The names that ethtool(8) has for features besides the kernel's own.

export interface FeatureName {
  /** As `ethtool -K` takes it. */
  readonly short: string
  /** As `ethtool -k` shows it. */
  readonly shown: string
  /** What the kernel calls it; a `*` stands for any text, where it is about several features. */
  readonly kernel: string
}

export const featureNames: readonly FeatureName[] = [
  { short: 'rx', shown: 'rx-checksumming', kernel: 'rx-checksum' },
  { short: 'tx', shown: 'tx-checksumming', kernel: 'tx-checksum-*' },
  { short: 'sg', shown: 'scatter-gather', kernel: 'tx-scatter-gather*' },
  { short: 'tso', shown: 'tcp-segmentation-offload', kernel: 'tx-tcp*-segmentation' },
  { short: 'ufo', shown: 'udp-fragmentation-offload', kernel: 'tx-udp-fragmentation' },
  { short: 'gso', shown: 'generic-segmentation-offload', kernel: 'tx-generic-segmentation' },
  { short: 'gro', shown: 'generic-receive-offload', kernel: 'rx-gro' },
  { short: 'lro', shown: 'large-receive-offload', kernel: 'rx-lro' },
  { short: 'rxvlan', shown: 'rx-vlan-offload', kernel: 'rx-vlan-hw-parse' },
  { short: 'txvlan', shown: 'tx-vlan-offload', kernel: 'tx-vlan-hw-insert' },
  { short: 'ntuple', shown: 'ntuple-filters', kernel: 'rx-ntuple-filter' },
  { short: 'rxhash', shown: 'receive-hashing', kernel: 'rx-hashing' },
]

/** The name or the pattern of names that the kernel has for what the configuration calls `key`. */
export function kernelName(key: string): string {
  return featureNames.find(({ short, shown }) => key === short || key === shown)?.kernel ?? key
}

/** Those of `names` that `kernel`, a name or a pattern, is about. */
export function matching(kernel: string, names: Iterable<string>): string[] {
  const [start = '', end] = kernel.split('*')
  return [...names].filter(name =>
    end === undefined ? name === kernel : name.startsWith(start) && name.slice(start.length).endsWith(end),
  )
}
