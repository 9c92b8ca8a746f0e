/** What `buildModels` found and did: plain data, for texts, JUnit, Markdown and `--json`. */

/** `convert`, `golden NAME`, `evaluate`, `bench`. */
export interface BuildStepReport {
  readonly name: string
  /** `cached`: an earlier run had the same inputs. `planned`: it would run. `left`: an earlier step failed. */
  readonly status: 'done' | 'cached' | 'failed' | 'planned' | 'left'
  /** Why it ran, or would run; null if it is cached or left. */
  readonly why: string | null
  /** Seconds that it took; null unless it ran. */
  readonly seconds: number | null
  /** Sentences on what was expected and not found. */
  readonly missed: readonly string[]
  readonly error: BuildError | null
}

export interface BuildError {
  readonly kind: string
  readonly code: string
  readonly message: string
  readonly hint?: string
  readonly file?: string
}

/** Figures of one artefact; null if they were not measured. */
export interface ArtefactFigures {
  /** Key of the manifest: `onnx`, `onnx-int8`, `tfjs`. */
  readonly artefact: string
  readonly files: readonly string[]
  readonly bytes: number
  /** Largest difference of an output from the float64 reference, of all runtimes. */
  readonly maxAbs: number | null
  /** Least agreement with float32, of rounded weights. */
  readonly agreement: number | null
  readonly accuracy: number | null
  readonly f1: number | null
  /** Milliseconds of a run: the largest median of the measured rows. */
  readonly p50: number | null
}

export interface ModelBuildReport {
  readonly name: string
  readonly source: string
  readonly output: string
  /** `skipped`: nothing of it had changed. */
  readonly status: 'built' | 'skipped' | 'failed' | 'planned'
  /** Why it was built or skipped, in words. */
  readonly why: string
  readonly exitCode: number
  readonly seconds: number
  readonly steps: readonly BuildStepReport[]
  readonly artefacts: readonly ArtefactFigures[]
  readonly notes: readonly string[]
}

export interface BuildReport {
  /** False if a model failed. */
  readonly ok: boolean
  /** Path of the configuration file. */
  readonly config: string
  readonly albertkit: string
  readonly dryRun: boolean
  /** The worst of the models' exit codes. */
  readonly exitCode: number
  readonly models: readonly ModelBuildReport[]
}
