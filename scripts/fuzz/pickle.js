// Damage to pickles: opcodes are deleted, repeated, swapped, and brought in, each with an argument that it can have.
import { EXTREMES, joined, mutate, pick } from './bytes.js'

/** Bytes of arguments: a number of them, a line ('n'), or a length in so many bytes and what it counts ('c1', 'c4', 'c8'). */
const ARGUMENTS = {
  ...{ F: 'n', I: 'n', L: 'n', S: 'n', V: 'n', P: 'n', g: 'n', p: 'n', c: 'nn', i: 'nn' },
  ...{ J: 4, K: 1, M: 2, G: 8, h: 1, j: 4, q: 1, r: 4, T: 'c4', U: 'c1', X: 'c4', B: 'c4', C: 'c1' },
  ...{ '\x80': 1, '\x82': 1, '\x83': 2, '\x84': 4, '\x8a': 'c1', '\x8b': 'c4', '\x8c': 'c1', '\x8d': 'c8' },
  ...{ '\x8e': 'c8', '\x95': 8, '\x96': 'c8' },
}

const latin = (text) => Uint8Array.from(Buffer.from(text, 'latin1'))

/** Opcodes from `at` on with their arguments, up to and with a STOP. */
export function opcodesOf(bytes, at = 0) {
  const ops = []
  for (let next = at; ;) {
    if (next >= bytes.length) throw new RangeError('no pickle')
    const code = String.fromCharCode(bytes[next])
    const kind = ARGUMENTS[code] ?? 0
    let end = next + 1
    if (typeof kind === 'number') end += kind
    else if (kind.startsWith('n'))
      for (let n = kind.length; n > 0; n--) end = bytes.indexOf(10, end) + 1 || bytes.length
    else {
      const width = Number(kind.slice(1))
      end += width + Buffer.from(bytes.subarray(end, end + Math.min(width, 6))).readUIntLE(0, Math.min(width, 6))
    }
    ops.push(bytes.subarray(next, end))
    next = end
    if (code === '.') return { ops, end }
  }
}

const short = (text) => joined([Uint8Array.of(0x8c, text.length), latin(text)])
const int32 = (value) => {
  const out = Buffer.alloc(5)
  out[0] = 0x4a
  out.writeInt32LE(value | 0, 1)
  return new Uint8Array(out)
}

const GLOBALS = [
  ...['torch._utils\n_rebuild_tensor_v2', 'torch._utils\n_rebuild_tensor_v3', 'torch._utils\n_rebuild_parameter'],
  ...['torch._utils\n_rebuild_parameter_with_state', 'torch._tensor\n_rebuild_from_type_v2', 'torch\nSize'],
  ...['torch.nn.parameter\nParameter', 'torch\nTensor', 'torch\ndevice', 'torch.serialization\n_get_layout'],
  ...['collections\nOrderedDict', 'builtins\nset', '__builtin__\nset', 'torch\nFloatStorage', 'torch\nHalfStorage'],
  ...['torch.storage\nUntypedStorage', 'torch\nfloat32', 'torch\nbfloat16', 'torch\nint64', 'torch\nBFloat16Storage'],
  ...['os\nsystem', 'builtins\neval', 'torch._utils\n_rebuild_sparse_tensor', 'torch\nQInt8Storage', 'a.b\nc.d'],
]

/** Opcodes that an attacker brings in. */
const OPS = [
  ...[...'(.012NRQabdelotu)}]s\x81\x85\x86\x87\x88\x89\x8f\x90\x91\x92\x93\x94\x97\x98'].map(
    (code) => () => latin(code),
  ),
  ...[...'hqK'].map((code) => (next) => joined([latin(code), Uint8Array.of(next() % (next() % 2 === 0 ? 8 : 256))])),
  (next) => int32(pick(EXTREMES, next)),
  (next) => int32(-pick(EXTREMES, next)),
  (next) => latin(`c${pick(GLOBALS, next)}\n`),
  (next) => latin(`c${pick(GLOBALS, next)}\n`),
  (next) => latin(`i${pick(GLOBALS, next)}\n`),
  (next) => short(pick(['storage', 'cpu', '0', '1', '../0', '', '__proto__', 'weight'], next)),
  (next) =>
    latin(
      `${pick([...'FILPgpVS'], next)}${pick(['1', '-1', '1e9', "'a'", '', '99999999999999999999', '01', 'nan', '1L'], next)}\n`,
    ),
  (next) => joined([Uint8Array.of(0x8a), Uint8Array.of(next() % 12), Buffer.alloc(next() % 12, 0xff)]),
  (next) => joined([latin('G'), Uint8Array.from({ length: 8 }, () => next() % 256)]),
  (next) => joined([Uint8Array.of(0x80), Uint8Array.of(next() % 8)]),
  (next) => joined([Uint8Array.of(0x95), Uint8Array.from({ length: 8 }, () => next() % 4)]),
  (next) => joined([latin('j'), Uint8Array.of(next() % 4, 0, 0, next() % 2 === 0 ? 0 : 255)]),
]

/** Opcodes in the place of many, which each double what there is. */
const repeated = (ops, next) => {
  const at = next() % ops.length
  const piece = ops.slice(at, at + 1 + (next() % 12))
  return Array(pick([1, 2, 20, 400], next))
    .fill(piece)
    .flat()
}

const EDITS = [
  (ops, i, next) => ops.splice(i, 1 + (next() % 3)),
  (ops, i, next) => ops.splice(i, 0, pick(OPS, next)(next)),
  (ops, i, next) => ops.splice(i, 0, pick(OPS, next)(next), pick(OPS, next)(next)),
  (ops, i, next) => ops.splice(i, 1, pick(OPS, next)(next)),
  (ops, i, next) => ops.splice(i, 1, pick(ops, next)),
  (ops, i, next) => ops.splice(i, 0, ...repeated(ops, next)),
  (ops, i, next) => (ops[i] = mutate(ops[i], next)),
  (ops, i, next) => {
    // The argument alone.
    if (ops[i].length > 1) ops[i] = joined([ops[i].subarray(0, 1), mutate(ops[i].subarray(1), next)])
  },
  (ops, i, next) => {
    const j = next() % ops.length
    ;[ops[i], ops[j]] = [ops[j], ops[i]]
  },
  (ops, i, next) => {
    const small = ops.findIndex((op, n) => n >= i && (op[0] === 0x4b || op[0] === 0x4a || op[0] === 0x4d))
    if (small !== -1) ops[small] = next() % 2 === 0 ? int32(pick(EXTREMES, next)) : Uint8Array.of(0x4b, next() % 8)
  },
]

/** A pickle with one to four changes. */
export function mutatePickle(bytes, next) {
  const { ops } = opcodesOf(bytes)
  for (let n = 1 + (next() % 4); n > 0; n--) if (ops.length > 0) pick(EDITS, next)(ops, next() % ops.length, next)
  return joined(ops)
}

/** A file of several pickles, one after another, and bytes: one of them is changed. */
export function mutatePickles(bytes, next) {
  const parts = []
  let at = 0
  for (let n = 0; n < 5; n++) {
    const { end } = opcodesOf(bytes, at)
    parts.push(bytes.subarray(at, end))
    at = end
  }
  const i = next() % 6
  if (i < 5) parts[i] = mutatePickle(parts[i], next)
  const rest = bytes.subarray(at)
  return joined([...parts, i === 5 ? mutate(rest, next) : rest])
}
