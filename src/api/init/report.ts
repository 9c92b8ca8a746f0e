import type { CheckpointTarget } from '../../base/artefact-layout.js'
import type { ResolvedTask } from '../../model/tasks.js'

export interface InitReport {
  readonly ok: boolean
  /** Name of the preset, or path of the configuration file. */
  readonly preset: string
  readonly family: string
  readonly target: CheckpointTarget
  readonly task: ResolvedTask
  readonly seed: number
  readonly output: string
  readonly files: readonly { readonly path: string; readonly bytes: number }[]
  readonly tensors: number
  readonly parameters: number
  readonly weightBytes: number
  /** Number of tensors that were read back and match the plan; null if `verify` is off. */
  readonly verified: number | null
  readonly notes: readonly string[]
}
