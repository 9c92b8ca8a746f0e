export type SlotStatus = 'equal' | 'within' | 'differs' | 'shape' | 'only-a' | 'only-b'
export interface DiffSide {
  readonly variables: readonly string[]
  readonly dtype: string
  readonly shape: readonly number[]
}

export interface SlotDiff {
  readonly slot: string
  /** Inner layers that use it, counted through; empty outside the layers. */
  readonly layers: readonly number[]
  /** `within`: not the same, but not beyond the bound that was given. */
  readonly status: SlotStatus
  readonly a: DiffSide | null
  readonly b: DiffSide | null
  readonly elements: number
  /** Elements that are not the same number; null where they cannot be compared. */
  readonly different: number | null
  /** Null where they cannot be compared, or one of two numbers is none. */
  readonly maxAbs: number | null
  readonly where: readonly number[]
  /** Why this is no difference although one of the models has no such slot. */
  readonly harmless?: string
}

export interface DiffModel {
  readonly path: string
  readonly family: string
  readonly format: string
  readonly title: string
}

export interface DiffReport {
  /** Whether they are the same model: every slot within the bound, no setting that computes otherwise. */
  readonly ok: boolean
  readonly a: DiffModel
  readonly b: DiffModel
  readonly atol: number
  /** Settings that change what is computed and are not the same. */
  readonly config: readonly { readonly field: string; readonly a: string | number; readonly b: string | number }[]
  readonly slots: readonly SlotDiff[]
  readonly counts: Readonly<Record<'equal' | 'within' | 'differs' | 'shape' | 'onlyA' | 'onlyB', number>>
  readonly notes: readonly string[]
}
