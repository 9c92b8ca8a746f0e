import type { Parameter } from '../../model/albert.js'
import { eachPiece } from '../../model/health/statistics.js'
import { parametersOf, readStored } from '../../model/tensors/read.js'
import { examineModel, type ExaminedModel, type OpenModelOptions } from '../open/open.js'
import type { BeforeReport } from './report.js'

/** Parameters present in the file, by slot. */
export const presentParameters = ({ plan }: ExaminedModel): Map<string, Parameter> =>
  new Map([...parametersOf(plan.model)].filter((p) => p.variable !== '').map((p) => [p.slot, p]))

function isSame(a: ExaminedModel, p: Parameter, b: ExaminedModel, q: Parameter): boolean {
  let same = true
  let other = new Float32Array(0)
  eachPiece(a.source, p, (piece, start) => {
    if (!same) return
    if (other.length !== piece.length) other = new Float32Array(piece.length)
    readStored(b.source, q, start, other)
    // NaN counts as unchanged if it was NaN before.
    for (let i = 0; i < piece.length && same; i++) same = Object.is(piece[i], other[i])
  })
  return same
}

/** Finds variables that training did not change: those that equal an earlier checkpoint's. */
export async function compareBefore(
  after: ExaminedModel,
  path: string,
  options: OpenModelOptions,
): Promise<BeforeReport> {
  const before = await examineModel(path, options)
  try {
    const known = presentParameters(before)
    const unchanged: { slot: string; variable: string }[] = []
    const added: string[] = []
    let compared = 0
    for (const [slot, p] of presentParameters(after)) {
      const q = known.get(slot)
      if (q?.layout !== p.layout || q.storedShape.join() !== p.storedShape.join()) {
        added.push(slot)
        continue
      }
      compared++
      if (isSame(after, p, before, q)) unchanged.push({ slot, variable: p.variable })
    }
    return { checkpoint: path, compared, unchanged, added }
  } finally {
    before.close()
  }
}
