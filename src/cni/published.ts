// Ports that a runtime asks to publish, as those plugins see it that cannot.
import { isObject, type JsonObject } from './json.ts'

/** How many there are. */
export function publishedPorts({ runtimeConfig }: JsonObject): number {
  const mappings = isObject(runtimeConfig) ? runtimeConfig['portMappings'] : undefined
  return Array.isArray(mappings) ? mappings.length : 0
}
