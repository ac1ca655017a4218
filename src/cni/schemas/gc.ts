// What GC is told: which attachments of the network still live.
import { list, object, type Schema, text } from './schema.ts'

export const gc: Schema = object(
  {
    'cni.dev/valid-attachments': {
      ...list(
        object(
          { containerID: text('a container id'), ifname: text('the name of a link') },
          { required: ['containerID', 'ifname'], want: '{"containerID": ..., "ifname": ...}' },
        ),
        'a list of {"containerID": ..., "ifname": ...}',
      ),
      nullable: true,
    },
  },
  { open: true },
)
