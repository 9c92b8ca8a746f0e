import type { ClassHealth } from '../../model/health/classes.js'
import type { DuplicateLayers } from '../../model/health/duplicates.js'
import type { WordRanks } from '../../model/health/rank.js'
import type { TensorStatistics } from '../../model/health/statistics.js'
import type { MissingVariable } from '../../model/load/build.js'

/** A finding in plain words. `bad`: the model cannot work so; `warning`: look at it; `good`: a question answered well. */
export interface Verdict {
  readonly level: 'bad' | 'warning' | 'good'
  readonly text: string
}

/** Health of one tensor. */
export interface TensorHealth extends TensorStatistics {
  readonly variable: string
  readonly slot: string
  readonly dtype: string
  /** As stored. */
  readonly shape: readonly number[]
  /** `initial`: as before training, by its statistics; zeros and ones are so only where training starts from them. */
  readonly state: 'ok' | 'broken' | 'zero' | 'constant' | 'initial'
}

export interface HeadHealth {
  readonly head: string
  readonly state: 'trained' | 'untrained' | 'constant'
}

export interface WeightsReport {
  /** False where a value is NaN or infinite, or the checkpoint lacks variables of its own configuration. */
  readonly ok: boolean
  readonly model: string
  readonly family: string
  readonly architecture: string
  /** Deviation that parameters are initialised with. */
  readonly initializerRange: number
  readonly verdicts: readonly Verdict[]
  readonly tensors: readonly TensorHealth[]
  readonly body: 'trained' | 'untrained'
  readonly heads: readonly HeadHealth[]
  readonly classes: readonly (ClassHealth & { readonly label: string | null })[]
  readonly ranks: WordRanks | null
  readonly duplicates: readonly DuplicateLayers[]
  readonly missing: readonly MissingVariable[]
  readonly against: AgainstReport | null
  readonly before: BeforeReport | null
  readonly notes: readonly string[]
}

/** A variable of the model that the checkpoint does not provide: training starts it from random values. */
export interface NotProvided {
  readonly slot: string
  /** Its name in this family. */
  readonly variable: string
  readonly shape: readonly number[]
  /** The shape that the checkpoint has instead; null where it has no such variable. */
  readonly found: readonly number[] | null
}
export interface AgainstReport {
  readonly config: string
  /** Variables of the configuration's model. */
  readonly variables: number
  readonly notProvided: readonly NotProvided[]
  /** Variables of the checkpoint that no part of a model is called: where names differ, they stand here. */
  readonly unknown: readonly string[]
}
export interface BeforeReport {
  readonly checkpoint: string
  /** Variables that both have, of the same shape. */
  readonly compared: number
  /** Those of them whose every value stayed as it was. */
  readonly unchanged: readonly { readonly slot: string; readonly variable: string }[]
  /** Slots that were not there before, or had another shape. */
  readonly added: readonly string[]
}
