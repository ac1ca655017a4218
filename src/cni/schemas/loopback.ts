// The configuration of the loopback plugin, which has no keys of its own.
import { network } from './network.ts'
import { object, type Schema } from './schema.ts'

export const loopback: Schema = object(network)
