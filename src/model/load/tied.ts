import { elementCount, sameShape, type TensorSource } from '../../formats/core/source.js'
import { readFloats } from '../tensors/read.js'
import type { Identification, MappedVariable, SkippedVariable } from '../names/identification.js'

/**
 * Decoder of the masked-token head as transformers saves it: `decoder.weight` and `decoder.bias` are usually copies of
 * the word embeddings and `bias`. A copy is left out; a decoder that differs (untied) is kept and used, as transformers
 * 5 does, never dropped silently.
 */

/** Elements that are compared at a time. */
const PIECE = 1 << 18

/** True if two variables have the same shape and values. */
function equal(source: TensorSource, a: string, b: string): boolean {
  const shape = source.tensors.get(a)?.shape ?? []
  const other = source.tensors.get(b)?.shape ?? []
  if (!sameShape(shape, other)) return false
  const total = elementCount(shape)
  const ours = new Float32Array(Math.min(PIECE, total))
  const theirs = new Float32Array(ours.length)
  for (let start = 0; start < total; start += PIECE) {
    const length = Math.min(PIECE, total - start)
    const [x, y] = [ours.subarray(0, length), theirs.subarray(0, length)]
    readFloats(source, a, start, x)
    readFloats(source, b, start, y)
    if (!x.every((value, i) => Object.is(value, y[i]))) return false
  }
  return true
}

export interface Settled {
  readonly found: Identification
  /** Notes for the user. */
  readonly notes: readonly string[]
}

/**
 * Settles whether the decoder is a copy of the word embeddings, by its values.
 * @throws AlbertkitError `malformed` from the source
 */
export function settleTied(source: TensorSource, found: Identification): Settled {
  const mapped = new Map(found.mapped)
  const skipped: SkippedVariable[] = [...found.skipped]
  const notes: string[] = []
  const settle = (
    copy: string,
    original: string,
    own: (copied: MappedVariable, first: MappedVariable) => void,
  ): void => {
    const copied = mapped.get(copy)
    if (copied === undefined) return
    const first = mapped.get(original)
    if (first === undefined) mapped.set(original, { ...copied, slot: original })
    else if (!equal(source, copied.variable, first.variable)) {
      own(copied, first)
      return
    } else skipped.push({ variable: copied.variable, reason: `tied copy of ${first.variable}` })
    mapped.delete(copy)
  }
  settle('mlm/decoder', 'embeddings/word_embeddings', ({ variable }, first) => {
    notes.push(`${variable} is not equal to ${first.variable}: it is used as a decoder of its own, not tied`)
  })
  settle('mlm/decoder_bias', 'mlm/output_bias', (copied, first) => {
    mapped.delete('mlm/decoder_bias')
    mapped.set('mlm/output_bias', { ...copied, slot: 'mlm/output_bias' })
    skipped.push({ variable: first.variable, reason: `not used: ${copied.variable} is another` })
    notes.push(`${copied.variable} is not equal to ${first.variable}: the decoder's own bias is used`)
  })
  return { found: { ...found, mapped, skipped }, notes }
}
