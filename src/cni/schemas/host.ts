// The configuration of the host plugin, which has no keys of its own.
import { shared } from './shared.ts'
import { object, type Schema } from './schema.ts'

export const host: Schema = object(shared)
