import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

/** Events of TensorBoard (tensorboard/compat/proto/event.proto, summary.proto): scalars of a step. */

/** Fields of `Event`. */
const WALL_TIME = 1
const STEP = 2
const FILE_VERSION = 3
const SUMMARY = 5
/** Fields of `Summary` and of its values. */
const VALUE = 1
const TAG = 1
const SIMPLE_VALUE = 2

/** Serialises an event; the first of a file holds the version of the format. */
export function eventBytes({
  step,
  version,
  values,
}: {
  readonly step: number
  readonly version: boolean
  readonly values: Readonly<Record<string, number>>
}): Uint8Array {
  const event = new BinaryWriter()
  event.tag(WALL_TIME, WireType.Bit64).double(Date.now() / 1000)
  event.tag(STEP, WireType.Varint).int64(step)
  if (version) event.tag(FILE_VERSION, WireType.LengthDelimited).string('brain.Event:2')
  const summary = new BinaryWriter()
  for (const [tag, value] of Object.entries(values)) {
    const own = new BinaryWriter()
    own.tag(TAG, WireType.LengthDelimited).string(tag)
    own.tag(SIMPLE_VALUE, WireType.Bit32).float(value)
    summary.tag(VALUE, WireType.LengthDelimited).bytes(own.finish())
  }
  if (!version) event.tag(SUMMARY, WireType.LengthDelimited).bytes(summary.finish())
  return event.finish()
}
