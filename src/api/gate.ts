import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { exportModel, type ExportOptions, type GraphTarget, type PrecisionOptions } from '../export/index.js'
import type { WrittenArtefact } from '../export/written.js'
import { forwardFlops } from '../model/cost.js'
import { takesChoices } from '../model/forward.js'
import { headsFor, resolveTask } from '../model/outputs.js'
import type { ModelInputs } from '../model/reference-run.js'
import { openRunner, RUNNERS, type Runner } from '../runtime/index.js'
import { Agreement, type OutputAgreement } from '../verify/agreement.js'
import { drawInputs } from '../verify/inputs.js'
import type { OpenedModel } from './open.js'

/** Whether a model whose weights were rounded still answers as its source does. */

/** Floating-point operations that the float32 model may spend on the gate's inputs: under a minute on a slow core. */
const BUDGET = 5e11
/** Rows of a batch: one is full, one padded, one has holes. */
const ROWS = 3
const BATCHES = 100
const LENGTH = 32

/** A weight that was left as it was, or whose products take unrounded activations, because measuring said so. */
export interface Spared {
  readonly slot: string
  readonly as: 'f32' | 'weights'
  /** 1 − cosine of the outputs where this weight alone is quantised. */
  readonly error: number
}

export interface GateReport {
  /** `onnx-int8`, `tfjs-uint8` … */
  readonly artefact: string
  readonly runner: string
  /** How many rows were compared. */
  readonly rows: number
  readonly outputs: readonly OutputAgreement[]
  /** The least agreement of the outputs: equal answers, or of features the cosine. */
  readonly agreement: number
  readonly threshold: number
  readonly spared: readonly Spared[]
  readonly ok: boolean
}

/** What the gate is asked about. */
export interface GateRequest {
  readonly key: string
  readonly target: GraphTarget
  readonly options: ExportOptions
  readonly threshold: number
  readonly onProgress?: ((what: string) => void) | undefined
}

function gateInputs({ model }: OpenedModel, { task }: ExportOptions): ModelInputs[] {
  const heads = headsFor(resolveTask(model, task))
  const length = Math.min(LENGTH, model.config.max_position_embeddings)
  const cost = forwardFlops(model, heads, ROWS, length)
  const batches = Math.max(3, Math.min(BATCHES, Math.floor(BUDGET / cost)))
  const choices = takesChoices(model, heads) ? { choices: ROWS } : {}
  return Array.from({ length: batches }, (_, i) => ({ ...drawInputs(model, ROWS, length, 100 + i), ...choices }))
}

const runnerOf = (target: GraphTarget): string => RUNNERS.find((r) => r.artefact === target)?.name ?? ''
const graphFile = (dir: string, { files }: WrittenArtefact): string => join(dir, files[0]?.path ?? '')

/** Measures quantised forms of one model against its float32 form, in the same runtime. */
export class Gate {
  readonly #inputs: readonly ModelInputs[]

  private constructor(
    readonly opened: OpenedModel,
    readonly scratch: string,
    readonly request: GateRequest,
    readonly baseline: Runner,
  ) {
    this.#inputs = gateInputs(opened, request.options)
  }

  /** @param scratch directory for the forms that are only measured */
  static async open(opened: OpenedModel, scratch: string, request: GateRequest): Promise<Gate> {
    const { target, options } = request
    const { precision: _, precisionOptions: __, halfCompute: ___, onFile: ____, ...plain } = options
    const dir = join(scratch, 'baseline')
    const written = await exportModel(opened.model, opened.source, target, dir, plain)
    return new Gate(opened, scratch, request, await openRunner(runnerOf(target), { file: graphFile(dir, written) }))
  }

  async #measure(file: string, inputs = this.#inputs): Promise<Agreement> {
    const agreement = new Agreement()
    const runner = await openRunner(runnerOf(this.request.target), { file })
    try {
      for (const each of inputs) agreement.add(each, await this.baseline.run(each), await runner.run(each))
    } finally {
      await runner.close()
    }
    return agreement
  }

  /** Writes a form into a directory of its own, measures it, and removes it. */
  async #attempt(precisionOptions: PrecisionOptions, inputs = this.#inputs): Promise<Agreement> {
    const dir = join(this.scratch, 'attempt')
    const { onFile: _, ...options } = this.request.options
    try {
      const { model, source } = this.opened
      const written = await exportModel(model, source, this.request.target, dir, { ...options, precisionOptions })
      return await this.#measure(graphFile(dir, written), inputs)
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  }

  #report(agreement: Agreement, spared: readonly Spared[]): GateReport {
    const { key, target, threshold } = this.request
    const worst = agreement.worst()
    return {
      artefact: key,
      runner: runnerOf(target),
      rows: agreement.rows,
      outputs: agreement.outputs(),
      agreement: worst,
      threshold,
      spared,
      ok: worst >= threshold,
    }
  }

  /**
   * Asks whether `written`, in `dir`, may stand. Where it may not, every quantised weight is measured by itself, and the
   * worst are spared, as few as will do: first what they are multiplied with, then they themselves.
   * @returns the verdict, and what to write instead
   */
  async judge(
    dir: string,
    written: WrittenArtefact,
  ): Promise<{ report: GateReport; instead: PrecisionOptions | null }> {
    const { onProgress, options, key } = this.request
    onProgress?.(`comparing the answers of ${key} with float32`)
    const first = this.#report(await this.#measure(graphFile(dir, written)), [])
    const kinds = new Set(written.weights.map(({ encoding }) => encoding.kind))
    if (first.ok || !(kinds.has('int8') || kinds.has('affine'))) return { report: first, instead: null }
    const slots = written.weights
      .filter(({ encoding }) => encoding.kind === 'int8' || encoding.kind === 'affine')
      .map(({ slot }) => slot)
    const measured: { slot: string; error: number }[] = []
    for (const slot of slots) {
      onProgress?.(`measuring ${key}: ${slot}`)
      const keep = new Set(slots.filter((other) => other !== slot))
      const alone = await this.#attempt({ ...options.precisionOptions, keep }, this.#inputs.slice(0, 4))
      measured.push({ slot, error: alone.distance() })
    }
    measured.sort((a, b) => b.error - a.error)
    const dynamic = kinds.has('int8') && options.precisionOptions?.weightsOnly !== true
    for (const as of dynamic ? (['weights', 'f32'] as const) : (['f32'] as const)) {
      for (let n = 1; ; n = Math.min(2 * n, measured.length)) {
        const worst = measured.slice(0, n)
        const spared = new Set(worst.map(({ slot }) => slot))
        const instead = { ...options.precisionOptions, ...(as === 'f32' ? { keep: spared } : { still: spared }) }
        onProgress?.(`${key} without ${n} of ${slots.length} weights`)
        const said = worst.map(({ slot, error }) => ({ slot, as, error }))
        const report = this.#report(await this.#attempt(instead), said)
        if (report.ok) return { report, instead }
        if (n === measured.length) break
      }
    }
    return { report: first, instead: null }
  }

  async close(): Promise<void> {
    await this.baseline.close()
  }
}
