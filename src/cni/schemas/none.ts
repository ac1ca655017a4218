// The configuration of the none plugin, which has no keys of its own.
import { shared } from './shared.ts'
import { object, type Schema } from './schema.ts'

export const none: Schema = object(shared)
