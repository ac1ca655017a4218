// Paths of Linux, as much as a plugin's call needs: loading node:path would take longer than all that it does here.

/** What comes after the last slash. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** What comes before the last slash: `/run` of `/run/tnet`, the root of itself. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')))
}

/** An absolute path without `.`, `..`, repeated and trailing slashes, as Go's filepath.Clean has it. */
export function cleaned(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}
