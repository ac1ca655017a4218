// Where networks, sandboxes, endpoints and tnet's own leases are kept: ordered keys and JSON values.

export interface Entry<T = unknown> {
  readonly key: string
  readonly value: T
  /** Grows with every change of this key; 0 for a key that does not exist. */
  readonly revision: number
}

/** All conditions hold and all writes are made, or none. */
export interface Transaction {
  /** Keys that must have these revisions; 0: must not exist. */
  readonly when?: readonly { readonly key: string; readonly revision: number }[]
  readonly put?: readonly { readonly key: string; readonly value: unknown }[]
  readonly remove?: readonly string[]
}

export interface Store extends AsyncDisposable {
  get<T>(key: string): Promise<Entry<T> | undefined>
  /** The entries whose keys begin with `prefix`, in the order of their keys' bytes in UTF-8. */
  range<T>(prefix: string): Promise<Entry<T>[]>
  /** False where a condition did not hold. Throws TypeError where a transaction writes a key twice. */
  commit(transaction: Transaction): Promise<boolean>
}

/** What a transaction that names a key twice would mean, engines see differently. */
export function refuseRepeated({ put = [], remove = [] }: Transaction): void {
  const keys = new Set<string>()
  for (const key of [...put.map(each => each.key), ...remove]) {
    if (keys.has(key)) throw new TypeError(`the transaction writes ${key} twice`)
    keys.add(key)
  }
}
