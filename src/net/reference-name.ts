// Names that the Go reference plugins give to what they make for a container, so that DEL finds what they left.

/**
 * `prefix` and as much of the SHA-512 of `text`, in hexadecimal, as fits `length`. The digest is loaded when it is
 * first asked for: OpenSSL takes 2 ms.
 */
export async function referenceName(prefix: string, length: number, text: string): Promise<string> {
  const { hash } = await import('node:crypto')
  return `${prefix}${hash('sha512', text, 'hex')}`.slice(0, length)
}
