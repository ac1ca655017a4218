// The environment that our caller gave us, for the programs that we start in turn.

/** What addon/launcher.c puts before the names of variables that a library might obey. */
const RENAMED = 'CALLER.'
/** What it adds for the runtime; one of the caller's would have been renamed. */
const ADDED = 'BUN_JSC_useJIT'

type Variables = Readonly<Record<string, string | undefined>>

/** `env` with the names that the launcher changed changed back. */
export function callerEnvironment(env: Variables): Record<string, string> {
  const own: [string, string][] = []
  const restored: [string, string][] = []
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || name === ADDED) continue
    if (name.startsWith(RENAMED)) restored.push([name.slice(RENAMED.length), value])
    else own.push([name, value])
  }
  return Object.fromEntries([...own, ...restored])
}

/** One variable of the caller's; undefined where it is empty. */
export function callersVariable(env: Variables, name: string): string | undefined {
  return env[RENAMED + name] || env[name] || undefined
}
