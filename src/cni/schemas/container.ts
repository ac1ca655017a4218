// The configuration of the container plugin.
import { shared } from './shared.ts'
import { object, type Schema, text } from './schema.ts'

export const container: Schema = object({
  ...shared,
  container: text('the id of a container, or the name of a sandbox'),
})
