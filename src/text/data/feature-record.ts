import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { concatBytes } from '../../base/bytes.js'
import type { PaddedFeatures } from './features.js'

/** One example as run_classifier's `file_based_convert_examples_to_features` stores it. */
export interface FeatureRecord extends PaddedFeatures {
  /** Index of the label, or the target value of a regression; null if the record has no label. */
  readonly label: number | null
  /** False for a record that only fills up the last batch. */
  readonly real: boolean
}

/** Record that fills up the last batch: zeros, ignored by every metric (run_classifier's `PaddingInputExample`). */
export function paddingRecord(length: number): FeatureRecord {
  const zeros = Array<number>(length).fill(0)
  return { input_ids: zeros, input_mask: zeros, segment_ids: zeros, label: 0, real: false }
}

/** Error of a record that is not a `FeatureRecord`. */
export class RecordError extends Error {}

/** Fields of core/example/example.proto and feature.proto. */
const FEATURES = 1
const ENTRY = 1
const KEY = 1
const VALUE = 2
const FLOATS = 2
const INTS = 3
const LIST = 1

const message = (field: number, bytes: Uint8Array): Uint8Array =>
  new BinaryWriter().tag(field, WireType.LengthDelimited).bytes(bytes).finish()

function intFeature(name: string, values: readonly number[]): Uint8Array {
  const list = new BinaryWriter()
  for (const value of values) list.int64(value)
  const feature = message(INTS, message(LIST, list.finish()))
  const entry = new BinaryWriter().tag(KEY, WireType.LengthDelimited).string(name)
  return message(ENTRY, entry.tag(VALUE, WireType.LengthDelimited).bytes(feature).finish())
}

/** Encodes a `tf.train.Example`, features in the order in which run_classifier adds them. */
export function encodeRecord(record: FeatureRecord): Uint8Array {
  const features = [
    intFeature('input_ids', record.input_ids),
    intFeature('input_mask', record.input_mask),
    intFeature('segment_ids', record.segment_ids),
    intFeature('label_ids', [record.label ?? 0]),
    intFeature('is_real_example', [record.real ? 1 : 0]),
  ]
  return message(FEATURES, concatBytes(features))
}

/** Calls `visit` with each length-delimited field of a message. */
function readParts(bytes: Uint8Array, visit: (field: number, part: Uint8Array) => void): void {
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag()
    if (wire === WireType.LengthDelimited) visit(field, reader.bytes())
    else reader.skip(wire, field)
  }
}

/** Reads a repeated numeric field, packed or not. */
function readList(bytes: Uint8Array, next: (reader: BinaryReader) => number): number[] {
  const values: number[] = []
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag()
    if (field !== LIST) reader.skip(wire, field)
    else if (wire === WireType.LengthDelimited)
      for (const packed = new BinaryReader(reader.bytes()); packed.pos < packed.len;) values.push(next(packed))
    else values.push(next(reader))
  }
  return values
}

interface Values {
  readonly kind: 'ints' | 'floats'
  readonly values: readonly number[]
}

function readFeature(bytes: Uint8Array): Values | null {
  let found: Values | null = null
  readParts(bytes, (field, part) => {
    if (field === INTS) found = { kind: 'ints', values: readList(part, (r) => Number(r.int64())) }
    else if (field === FLOATS) found = { kind: 'floats', values: readList(part, (r) => r.float()) }
  })
  return found
}

function readFeatures(bytes: Uint8Array): Map<string, Values> {
  const found = new Map<string, Values>()
  readParts(bytes, (outer, features) => {
    if (outer !== FEATURES) return
    readParts(features, (inner, entry) => {
      if (inner !== ENTRY) return
      let name = ''
      let value = null as Values | null
      readParts(entry, (field, part) => {
        if (field === KEY) name = new TextDecoder().decode(part)
        else if (field === VALUE) value = readFeature(part)
      })
      if (value !== null) found.set(name, value)
    })
  })
  return found
}

/**
 * Reads a `tf.train.Example` of features.
 * @throws RecordError if it is not one, or its features do not fit together
 */
export function decodeRecord(bytes: Uint8Array): FeatureRecord {
  let features: Map<string, Values>
  try {
    features = readFeatures(bytes)
  } catch (error) {
    throw new RecordError('it is not a tf.train.Example', { cause: error })
  }
  const ints = (name: string): readonly number[] => {
    const feature = features.get(name)
    if (feature === undefined)
      throw new RecordError(`it has no ${name} (it has: ${[...features.keys()].sort().join(', ') || 'nothing'})`)
    if (feature.kind !== 'ints') throw new RecordError(`its ${name} are not integers`)
    return feature.values
  }
  const [input_ids, input_mask, segment_ids] = [ints('input_ids'), ints('input_mask'), ints('segment_ids')]
  if (input_mask.length !== input_ids.length || segment_ids.length !== input_ids.length)
    throw new RecordError(
      `it has ${input_ids.length} input_ids, ${input_mask.length} of input_mask and ${segment_ids.length} segment_ids`,
    )
  const wrong = input_ids.find((id) => !Number.isSafeInteger(id) || id < 0)
  if (wrong !== undefined) throw new RecordError(`${wrong} in its input_ids is not a token id`)
  if (input_mask.some((on) => on !== 0 && on !== 1))
    throw new RecordError('its input_mask has values other than 0 and 1')
  const real = features.get('is_real_example')?.values[0] ?? 1
  return { input_ids, input_mask, segment_ids, label: features.get('label_ids')?.values[0] ?? null, real: real !== 0 }
}
