import type { Precision, Target } from '../../base/artefact-layout.js'
import type { GateReport } from '../gate/gate.js'
import type { VerifyReport } from '../verify/report.js'
import type { Growth } from './growth.js'

export interface ArtefactReport {
  readonly target: Target
  /** Element type; absent for float32 and for a checkpoint in the source's element types. */
  readonly dtype?: Precision
  /** Paths relative to the output directory. */
  readonly files: readonly string[]
  /** Bytes of the weights; null in a dry run of a graph. */
  readonly weightBytes: number | null
  readonly outputs: readonly string[]
}

export interface ConvertReport {
  /** False if verification or the gate failed; then nothing was written. */
  readonly ok: boolean
  readonly family: string
  readonly task: string
  readonly output: string
  readonly dryRun: boolean
  readonly artefacts: readonly ArtefactReport[]
  /** Distinct parameters of the source. */
  readonly parameters: number
  /** With `targetArchitecture`: size compared with the source; else null. */
  readonly growth: Growth | null
  /** Null if verification was switched off. */
  readonly verification: VerifyReport | null
  /** Agreement with float32 of every artefact in reduced precision. */
  readonly gate: readonly GateReport[]
  /** Notes for the user on how the source was read, and on the result. */
  readonly notes: readonly string[]
}
