import type { DType } from '../../formats/core/source.js'
import type { Parameter } from '../albert.js'
import type { ModelConfig } from '../config.js'
import type { NameTable } from '../names/row.js'

/** A model in another family's names: planned by `translate`, written by writers, checked by verification. */

/** Architectures that a model can be brought into by multiplying out and copying. */
export const ARCHITECTURES = ['bert', 'albert'] as const
export type Architecture = (typeof ARCHITECTURES)[number]

export type Origin =
  /** The source's own bytes. */
  | { readonly kind: 'parameter'; readonly parameter: Parameter }
  /** Float32 values, row-major in the logical order: fills `target` from element `start` on. */
  | { readonly kind: 'computed'; readonly fill: (start: number, target: Float32Array) => void }

export interface PlannedTensor {
  /** Name of the variable. */
  readonly name: string
  /** Slot that the name has in the target's table. */
  readonly slot: string
  /** Logical shape: that of the forward pass. */
  readonly logicalShape: readonly number[]
  /** Shape as stored: reversed if `transposed`. */
  readonly shape: readonly number[]
  /** PyTorch's `weight`, `[out, in]`. */
  readonly transposed: boolean
  /** Element type in the file; if it is not that of the origin, values are rounded to the nearest. */
  readonly dtype: DType
  readonly origin: Origin
}

/** Element type of what a planned tensor is made of. */
export const originDtype = ({ origin }: Pick<PlannedTensor, 'origin'>): DType =>
  origin.kind === 'parameter' ? origin.parameter.dtype : 'F32'

export interface Translation {
  readonly table: NameTable
  /** The configuration of the model as it is written. */
  readonly config: ModelConfig
  readonly form: Architecture | null
  readonly tensors: readonly PlannedTensor[]
  /** Notes for the user on the result. */
  readonly notes: readonly string[]
}
