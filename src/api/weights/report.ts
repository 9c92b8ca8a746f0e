import type { ClassHealth } from '../../model/health/classes.js'
import type { DuplicateLayers } from '../../model/health/duplicates.js'
import type { WordRanks } from '../../model/health/rank.js'
import type { TensorStatistics } from '../../model/health/statistics.js'
import type { MissingVariable } from '../../model/load/build.js'

/** Finding. `bad`: the model cannot work; `warning`: likely problem; `good`: check passed. */
export interface Verdict {
  readonly level: 'bad' | 'warning' | 'good'
  readonly text: string
}

/** Health of one tensor. */
export interface TensorHealth extends TensorStatistics {
  readonly variable: string
  readonly slot: string
  readonly dtype: string
  /** Stored shape. */
  readonly shape: readonly number[]
  /** `initial`: its statistics are those before training; zeros and ones only if training starts from them. */
  readonly state: 'ok' | 'broken' | 'zero' | 'constant' | 'initial'
}

export interface HeadHealth {
  readonly head: string
  readonly state: 'trained' | 'untrained' | 'constant'
}

export interface WeightsReport {
  /** False if a value is NaN or infinite, or the checkpoint lacks variables that its configuration requires. */
  readonly ok: boolean
  readonly model: string
  readonly family: string
  readonly architecture: string
  /** Standard deviation of the initializer. */
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

/** Variable of the model that the checkpoint lacks, so that training starts it from random values. */
export interface NotProvided {
  readonly slot: string
  /** Its name in this family. */
  readonly variable: string
  readonly shape: readonly number[]
  /** Shape in the checkpoint; null if it has no such variable. */
  readonly found: readonly number[] | null
}
export interface AgainstReport {
  readonly config: string
  /** Number of variables of the configuration's model. */
  readonly variables: number
  readonly notProvided: readonly NotProvided[]
  /** Variables of the checkpoint with names that no model has: misspelt or renamed variables. */
  readonly unknown: readonly string[]
}
export interface BeforeReport {
  readonly checkpoint: string
  /** Number of variables that both have, in the same shape. */
  readonly compared: number
  /** Those of which every value is unchanged. */
  readonly unchanged: readonly { readonly slot: string; readonly variable: string }[]
  /** Slots that are new or had another shape. */
  readonly added: readonly string[]
}
