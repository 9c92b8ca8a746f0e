import { elementCount, DTYPE_BYTES, type TensorInfo, type TensorSource } from '../core/source.js'
import { readRectangles, type Rectangle } from './slices.js'
import { inWholeElements } from '../core/byte-order.js'

/**
 * Parts of partitioned variables that were saved as separate variables, `word_embeddings/part_0` …: a Saver of
 * TensorFlow does this if it is given names, and freezing a graph leaves one constant per part. (Otherwise the Saver
 * keeps one name; `slices.ts`.) A partitioner cuts a variable into runs along one axis, and the Saver concatenates the
 * runs when it restores the whole. One op differs: `tf.nn.embedding_lookup` on a partitioned table takes row r from
 * part r mod n by default. The file does not show whether the graph did that, so a note mentions it.
 */

const PART = /^(.+)\/part_(\d+)$/
/** A partitioner makes a few parts, one per server. */
const MAX_PARTS = 4096

interface Piece extends Rectangle {
  readonly name: string
}

interface Joined {
  readonly info: TensorInfo
  readonly pieces: readonly Piece[]
}

/** Axis along which the parts were cut: the one in which they differ, or axis 0, the default of partitioners. */
function axisOf(parts: readonly TensorInfo[]): number | null {
  const [first] = parts
  if (first === undefined || first.shape.length === 0) return null
  if (parts.some(({ shape, dtype }) => shape.length !== first.shape.length || dtype !== first.dtype)) return null
  const differ = first.shape.flatMap((size, axis) => (parts.every(({ shape }) => shape[axis] === size) ? [] : [axis]))
  return differ.length > 1 ? null : (differ[0] ?? 0)
}

function join(name: string, parts: readonly TensorInfo[]): Joined | null {
  const axis = axisOf(parts)
  const [first] = parts
  if (axis === null || first === undefined || DTYPE_BYTES[first.dtype] === 0) return null
  let size = 0
  const pieces = parts.map((part): Piece => {
    const start = part.shape.map((_, i) => (i === axis ? size : 0))
    size += part.shape[axis] ?? 0
    return { name: part.name, start, extent: part.shape }
  })
  const shape = first.shape.map((d, i) => (i === axis ? size : d))
  const info = { ...first, name, shape, byteLength: elementCount(shape) * DTYPE_BYTES[first.dtype] }
  return { info, pieces }
}

/** Parts of each variable in order, if none is missing and the file does not have the variable itself. */
function partsOf({ tensors }: TensorSource): Map<string, TensorInfo[]> {
  const found = new Map<string, (TensorInfo | undefined)[]>()
  for (const info of tensors.values()) {
    const [, name, digits = ''] = PART.exec(info.name) ?? []
    const at = Number(digits)
    if (name === undefined || String(at) !== digits || at >= MAX_PARTS || tensors.has(name)) continue
    const parts = found.get(name) ?? []
    found.set(name, parts)
    parts[at] = info
  }
  const isWhole = (parts: (TensorInfo | undefined)[]): parts is TensorInfo[] => !parts.includes(undefined)
  return new Map([...found].flatMap(([name, parts]) => (isWhole(parts) ? [[name, parts]] : [])))
}

/** `source` with such parts joined to whole variables; a source without any is returned unchanged. */
export function joinParts(source: TensorSource): TensorSource {
  const joined = new Map<string, Joined>()
  for (const [name, parts] of partsOf(source)) {
    const whole = join(name, parts)
    if (whole !== null) joined.set(name, whole)
  }
  if (joined.size === 0) return source
  const within = new Set([...joined.values()].flatMap(({ pieces }) => pieces.map(({ name }) => name)))
  const tensors = new Map<string, TensorInfo>()
  for (const info of source.tensors.values()) {
    const of = within.has(info.name) ? PART.exec(info.name)?.[1] : undefined
    const shown = of === undefined ? info : (joined.get(of)?.info ?? info)
    tensors.set(shown.name, shown)
  }
  const [example = ''] = joined.keys()
  const count = joined.size === 1 ? 'a variable was' : `${joined.size} variables were`
  const note =
    `${count} saved in parts, ${example}/part_0 …: concatenated here, as TensorFlow restores them ` +
    '(a graph that looked embeddings up in the parts with tf.nn.embedding_lookup took their rows in turn)'
  return {
    format: source.format,
    files: source.files,
    tensors,
    notes: [...source.notes, note],
    ...(source.metadata === undefined ? {} : { metadata: source.metadata }),
    ...(source.graph === undefined ? {} : { graph: source.graph }),
    missingFiles: source.missingFiles ?? [],
    read(name, offset, target) {
      const whole = joined.get(name)
      if (whole === undefined) {
        source.read(name, offset, target)
        return
      }
      const { shape, dtype } = whole.info
      const width = DTYPE_BYTES[dtype]
      inWholeElements(width, offset, target, (from, bytes) => {
        readRectangles({ shape, width, rectangles: whole.pieces }, from / width, bytes, (piece, at, part) => {
          source.read(piece.name, at * width, part)
        })
      })
    },
    verifyChecksum(name) {
      for (const piece of joined.get(name)?.pieces ?? [{ name }]) source.verifyChecksum(piece.name)
    },
    close() {
      source.close()
    },
  }
}
