export type SlotStatus = 'equal' | 'within' | 'differs' | 'shape' | 'only-a' | 'only-b'
export interface DiffSide {
  readonly variables: readonly string[]
  readonly dtype: string
  readonly shape: readonly number[]
}

export interface SlotDiff {
  readonly slot: string
  /** Indices of the inner layers that use it, over the whole model; empty outside the layers. */
  readonly layers: readonly number[]
  /** `within`: different, but not by more than `atol`. */
  readonly status: SlotStatus
  readonly a: DiffSide | null
  readonly b: DiffSide | null
  readonly elements: number
  /** Number of different elements; null if they cannot be compared. */
  readonly different: number | null
  /** Largest absolute difference; null if elements cannot be compared or one is NaN. */
  readonly maxAbs: number | null
  readonly where: readonly number[]
  /** Reason why the models are equivalent although one lacks this slot. */
  readonly harmless?: string
}

export interface DiffModel {
  readonly path: string
  readonly family: string
  readonly format: string
  readonly title: string
}

export interface DiffReport {
  /** True if the models are the same: every slot within the bound, all settings equal. */
  readonly ok: boolean
  readonly a: DiffModel
  readonly b: DiffModel
  readonly atol: number
  /** Settings that differ and affect the outputs. */
  readonly config: readonly { readonly field: string; readonly a: string | number; readonly b: string | number }[]
  readonly slots: readonly SlotDiff[]
  readonly counts: Readonly<Record<'equal' | 'within' | 'differs' | 'shape' | 'onlyA' | 'onlyB', number>>
  readonly notes: readonly string[]
}
