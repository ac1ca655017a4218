// Pairs of virtual Ethernet links, include/uapi/linux/veth.h
import { type Attributes, attributes } from '../../../wire/attributes.ts'
import type { Codec, ValueOf } from '../../../wire/codec.ts'
import { withHeader } from '../../../wire/struct.ts'
import { commonRows, ifinfomsg } from '../link-attributes.ts'

type Peer = Partial<ValueOf<typeof ifinfomsg>> & Attributes<typeof commonRows>

const peer: Codec<Peer> = withHeader(ifinfomsg, attributes(commonRows))

/** `peer` describes the other end as a link of its own, its namespace included. The kernel never shows it. */
export const veth = attributes({ peer: [1, peer] })
