import type { HeadSelection } from '../../model/forward.js'
import { runFloat32 } from '../../model/reference-run.js'
import { compare, maskedRows } from '../../verify/compare.js'
import type { OpenedModel } from '../open.js'
import type { Trial } from './trials.js'

/**
 * The largest difference that float32 arithmetic alone makes to each output of a trial, in the rows that are not masked
 * everywhere. Computed when it is first asked for: it takes as long as the reference.
 */
export function float32Movement(
  { model, source }: OpenedModel,
  { inputs, expected }: Pick<Trial, 'inputs' | 'expected'>,
  heads: HeadSelection,
): () => ReadonlyMap<string, number> {
  const masked = maskedRows(inputs.attention_mask, inputs.batch, inputs.sequence)
  const measure = (): Map<string, number> => {
    const moved = new Map<string, number>()
    for (const [name, values] of runFloat32(model, source, inputs, heads)) {
      const exact = expected.get(name)
      if (exact === undefined) continue
      const found = compare('float32', name, values, exact, { bound: () => 0, masked })
      moved.set(name, found.find(({ rows }) => rows === undefined)?.maxAbs ?? 0)
    }
    return moved
  }
  let known: ReadonlyMap<string, number> | null = null
  return () => (known ??= measure())
}
