// Cursors over byte arrays: Writer grows as it is written, Reader never leaves its bounds.

/** Bytes that do not fit their table. `path` names where: `RTM_NEWLINK.linkInfo.data.mode`. */
export class DecodeError extends Error {
  readonly path: readonly string[]
  readonly offset: number

  constructor(message: string, path: readonly string[], offset: number) {
    super(`${path.join('.') || 'message'} at byte ${offset}: ${message}`)
    this.name = 'DecodeError'
    this.path = path
    this.offset = offset
  }
}

export class Writer {
  bytes: Uint8Array
  view: DataView
  length = 0

  constructor(capacity = 512) {
    this.bytes = new Uint8Array(capacity)
    this.view = new DataView(this.bytes.buffer)
  }

  /** Appends `size` zero bytes and returns their offset. */
  reserve(size: number): number {
    const offset = this.length
    this.length += size
    if (this.length > this.bytes.length) {
      const grown = new Uint8Array(Math.max(this.length, 2 * this.bytes.length))
      grown.set(this.bytes)
      this.bytes = grown
      this.view = new DataView(grown.buffer)
    }
    return offset
  }

  write(bytes: Uint8Array): void {
    const offset = this.reserve(bytes.length) // may replace this.bytes
    this.bytes.set(bytes, offset)
  }

  /** Pads with zeros to a multiple of `unit`, as netlink aligns messages and attributes to 4. */
  align(unit: number): void {
    this.reserve((unit - (this.length % unit)) % unit)
  }

  /** The bytes written so far; valid until the next write. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }
}

export class Reader {
  readonly bytes: Uint8Array
  readonly view: DataView
  offset: number
  /** Where reading ends: of all, or of the part that was entered. */
  end: number
  readonly #path: string[]

  /** Reads `bytes` from `offset` to `end`. `path` names what they are, in errors. */
  constructor(
    bytes: Uint8Array,
    path: readonly string[] = [],
    offset = 0,
    end: number = bytes.length,
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  ) {
    this.bytes = bytes
    this.view = view
    this.offset = offset
    this.end = end
    this.#path = [...path]
  }

  get left(): number {
    return this.end - this.offset
  }

  /** The names of what is read, outermost first. */
  get path(): readonly string[] {
    return [...this.#path]
  }

  /** The offset of the next `size` bytes, which are taken. */
  take(size: number): number {
    const offset = this.offset
    if (offset + size > this.end) throw this.error(`want ${size} bytes, got ${this.left}`)
    this.offset = offset + size
    return offset
  }

  /** A copy of all that is left. */
  rest(): Uint8Array {
    return this.bytes.slice(this.take(this.left), this.end)
  }

  /** A reader of the next `size` bytes, which are taken here. `name` is what they are called in errors. */
  slice(size: number, name?: string): Reader {
    const offset = this.take(size)
    const path = name === undefined ? this.#path : [...this.#path, name]
    return new Reader(this.bytes, path, offset, offset + size, this.view)
  }

  /**
   * Narrows this reader to the next `size` bytes, called `name` in errors. Answers with the end that it had, for
   * `leave`. A reader for each attribute would make decoding half as slow again.
   */
  enter(size: number, name: string): number {
    const { end, offset } = this
    if (offset + size > end) throw this.error(`want ${size} bytes, got ${this.left}`)
    this.end = offset + size
    this.#path.push(name)
    return end
  }

  /** Goes to the end of what was entered, and widens the reader again. */
  leave(end: number): void {
    this.offset = this.end
    this.end = end
    this.#path.pop()
  }

  error(message: string): DecodeError {
    return new DecodeError(message, this.path, this.offset)
  }
}
