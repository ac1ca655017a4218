// The configuration of the dummy plugin, which has no keys of its own.
import { network } from './network.ts'
import { object, type Schema } from './schema.ts'

export const dummy: Schema = object(network)
