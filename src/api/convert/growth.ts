import { byteLengthOf } from '../../export/checkpoint/stream.js'
import { elementCount } from '../../formats/core/source.js'
import type { ParameterReport } from '../../model/accounting/count.js'
import type { Architecture, Translation } from '../../model/rewrite/translation.js'

/** Size of a model in another architecture, compared with its source. */
export interface Growth {
  readonly form: Architecture
  /** Parameters stored in the source and in the result. */
  readonly parameters: readonly [before: number, after: number]
  readonly bytes: readonly [before: number, after: number]
  /** Bytes of the result divided by bytes of the source. */
  readonly ratio: number
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

/** Bytes of the weights of a planned file. */
export const plannedBytes = ({ tensors }: Translation): number => sum(tensors.map(byteLengthOf))

/** @returns null unless the model is brought into another architecture */
export function growthOf(source: ParameterReport, translation: Translation | undefined): Growth | null {
  if (translation === undefined || translation.form === null) return null
  const { stored, bytes } = source
  const after = plannedBytes(translation)
  return {
    form: translation.form,
    parameters: [stored, sum(translation.tensors.map(({ logicalShape }) => elementCount(logicalShape)))],
    bytes: [bytes, after],
    ratio: after / bytes,
  }
}
