// Memory for what is read, whatever its size will be.

/**
 * Bytes that are not filled with zeros: pages that the kernel does not write to are not even touched, and each would
 * take a microsecond. Not a Buffer, whose `slice` shares what it should copy.
 */
export function scratch(size: number): Uint8Array {
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(size)
  return new Uint8Array(buffer, byteOffset, size)
}
