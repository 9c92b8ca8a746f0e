// Damage to protocol buffers: fields are changed, and the lengths around them are made right again.
import { EXTREMES, joined, mutate, pick } from './bytes.js'

const DEEPEST = 12

/** A varint of up to ten bytes; null if it ends early. */
function readVarint(bytes, at) {
  let value = 0n
  for (let i = 0; i < 10 && at + i < bytes.length; i++) {
    value |= BigInt(bytes[at + i] & 127) << BigInt(7 * i)
    if (bytes[at + i] < 128) return { value, next: at + i + 1 }
  }
  return null
}

export function varint(value) {
  const out = []
  let rest = BigInt.asUintN(64, BigInt(value))
  for (; rest >= 128n; rest >>= 7n) out.push(Number(rest & 127n) | 128)
  return Uint8Array.from([...out, Number(rest)])
}

/** Fields of a message, with those of inner messages if they look like any; null if the bytes are no message. */
function parse(bytes, depth = 0) {
  const fields = []
  for (let at = 0; at < bytes.length;) {
    const tag = readVarint(bytes, at)
    if (tag === null || tag.value < 8n || tag.value > 0xffffffffn) return null
    const [number, type] = [Number(tag.value >> 3n), Number(tag.value & 7n)]
    if (type === 0) {
      const found = readVarint(bytes, tag.next)
      if (found === null) return null
      fields.push({ number, type, value: found.value })
      at = found.next
    } else if (type === 2) {
      const length = readVarint(bytes, tag.next)
      if (length === null || length.value > BigInt(bytes.length - length.next)) return null
      at = length.next + Number(length.value)
      const inner = bytes.subarray(length.next, at)
      const parsed = depth < DEEPEST && inner.length > 1 ? parse(inner, depth + 1) : null
      fields.push(parsed === null ? { number, type, bytes: inner } : { number, type, fields: parsed })
    } else if (type === 1 || type === 5) {
      const end = tag.next + (type === 1 ? 8 : 4)
      if (end > bytes.length) return null
      fields.push({ number, type, bytes: bytes.subarray(tag.next, end) })
      at = end
    } else return null
  }
  return fields
}

function write(fields) {
  return joined(
    fields.flatMap(({ number, type, value, bytes, fields: inner, length }) => {
      const tag = varint(BigInt(number) * 8n + BigInt(type))
      if (type === 0) return [tag, varint(value)]
      const body = bytes ?? write(inner)
      return type === 2 ? [tag, varint(length ?? body.length), body] : [tag, body]
    }),
  )
}

const placesIn = (fields, found = []) => {
  fields.forEach((field, i) => {
    found.push([fields, i])
    if (field.fields !== undefined) placesIn(field.fields, found)
  })
  return found
}

const bodyOf = ({ bytes, fields, value }) => bytes ?? (fields === undefined ? varint(value) : write(fields))
const WIDE = [-1n, 1n << 63n, (1n << 63n) - 1n, 1n << 31n, 1n << 32n, (1n << 53n) + 1n, 1n << 40n]

const EDITS = [
  ([list, i]) => list.splice(i, 1),
  ([list, i], next) => list.splice(next() % (list.length + 1), 0, list[i]),
  ([list, i], next) => {
    if (list[i].type === 0)
      list[i] = { ...list[i], value: next() % 2 === 0 ? BigInt(pick(EXTREMES, next)) : pick(WIDE, next) }
    else if (list[i].bytes !== undefined) list[i] = { ...list[i], bytes: mutate(list[i].bytes, next) }
  },
  ([list, i], next) => {
    if (list[i].type === 0) list[i] = { ...list[i], value: list[i].value + pick([1n, -1n, 1n << 20n], next) }
    else if (list[i].type === 2) list[i] = { number: list[i].number, type: 2, bytes: mutate(bodyOf(list[i]), next) }
  },
  ([list, i], next) => (list[i] = { ...list[i], number: 1 + (next() % 16) }),
  ([list, i], next) => (list[i] = { number: list[i].number, type: 2, bytes: bodyOf(list[i]), length: next() % 300 }),
  ([list, i], next) => (list[i] = { number: list[i].number, type: 0, value: BigInt(next()) }),
  ([list, i], next, all) => {
    const [other, n] = pick(all, next)
    list[i] = { number: list[i].number, type: 2, bytes: bodyOf(other[n]) }
  },
  ([list, i], next) => {
    // One in another, many times, as none but an attacker writes.
    let bytes = bodyOf(list[i])
    for (let n = pick([1, 3, 100], next); n > 0; n--) bytes = write([{ number: list[i].number, type: 2, bytes }])
    list[i] = { number: list[i].number, type: 2, bytes }
  },
]

/** A protocol buffer with one to three changes. */
export function mutateWire(bytes, next) {
  const fields = parse(bytes)
  if (fields === null || fields.length === 0) return mutate(bytes, next)
  for (let n = 1 + (next() % 3); n > 0; n--) {
    const places = placesIn(fields)
    if (places.length > 0) pick(EDITS, next)(pick(places, next), next, places)
  }
  return write(fields)
}
