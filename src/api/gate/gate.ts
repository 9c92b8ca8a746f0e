import { type OnProgress, progressStep } from '../../base/abort.js'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { GraphTarget } from '../../base/artefact-layout.js'
import { exportModel } from '../../export/export.js'
import type { ExportOptions } from '../../export/options.js'
import type { PrecisionOptions } from '../../export/weights/encoding.js'
import type { WrittenArtefact, WrittenWeight } from '../../export/weights/artefact.js'
import { elementCount } from '../../formats/core/source.js'
import { onInterrupt } from '../../base/interrupt.js'
import { forwardFlops } from '../../model/accounting/cost.js'
import { ALL_HEADS } from '../../model/tasks.js'
import type { ModelInputs } from '../../model/reference/run.js'
import { RUNNERS, type NamedTensor, type Runner } from '../../runtime/runners.js'
import { Agreement, type OutputAgreement } from '../../compare/agreement.js'
import { Accuracy, type GateAccuracy } from './accuracy.js'
import { gateInputs, type GateBatch, type GateInputs } from './inputs.js'
import { openModel, type OpenedModel } from '../open/open.js'
import { openListening } from '../runner-thread/open.js'

/** Gate: checks that a model in reduced precision still gives the predictions of its source. */

export type { GateAccuracy } from './accuracy.js'

/** Number of batches for the measurement of a single weight. */
const BATCHES_ALONE = 4

/** Number of cached float32 output values: 128 MiB. */
const KEPT_VALUES = 32 << 20
/** Largest fraction of elements excluded: with more, the model would hardly be quantised. */
const MOST_SPARED = 0.5

/** Options that exclude weights: left in float32, in eight instead of four bits, or their activations unquantised. */
const EXCLUSIONS = { f32: 'float32Slots', int8: 'int8Slots', weights: 'weightOnlySlots' } as const

/** Weight that is excluded because its error is too large. */
export interface ExcludedWeight {
  readonly slot: string
  readonly as: 'f32' | 'int8' | 'weights'
  /** 1 − cosine of the outputs if only this weight is quantised. */
  readonly error: number
}

export interface GateReport {
  /** `onnx-int8`, `tfjs-uint8`, `safetensors` … */
  readonly artefact: string
  readonly runner: string
  /** Kind of the inputs: given lines, built-in sentences, or random tokens if there is no tokenizer. */
  readonly inputs: GateInputs['kind']
  /** Number of rows compared. */
  readonly rows: number
  readonly outputs: readonly OutputAgreement[]
  /** Least agreement: fraction of equal predictions, share of the variance of values that is kept, or cosine of vectors. */
  readonly agreement: number
  readonly threshold: number
  /** Accuracy on labelled lines before and after; null without labels. */
  readonly accuracy: GateAccuracy | null
  readonly spared: readonly ExcludedWeight[]
  readonly ok: boolean
}

/** Request to the gate: artefact, options and threshold. */
export interface GateRequest {
  readonly key: string
  /** Graph to run; a checkpoint is exported to it. */
  readonly target: GraphTarget
  readonly options: ExportOptions
  readonly threshold: number
  /** Path of the texts to compare on. */
  readonly file?: string | undefined
  readonly onProgress?: OnProgress | undefined
}

interface Measured {
  readonly agreement: Agreement
  readonly accuracy: GateAccuracy | null
}

const runnerOf = (target: GraphTarget): string => RUNNERS.find((r) => r.artefact === target)?.name ?? ''
/** Opens a graph to run batches of sentences. */
const openToRun = ({ model }: OpenedModel, target: GraphTarget, file: string): Promise<Runner> =>
  openListening(runnerOf(target), { file }, {}, { flops: forwardFlops(model, ALL_HEADS, ...USUAL_BATCH) })
/** Rows and tokens of a batch of sentences. */
const USUAL_BATCH = [8, 32] as const

const graphFile = (dir: string, { files }: WrittenArtefact): string => join(dir, files[0]?.path ?? '')
const isRounded = ({ kind }: WrittenWeight['encoding']): boolean => kind !== 'f32' && kind !== 'f16'

/** Ways to exclude weights, those that cost least first. */
function exclusionsFor(rounded: readonly WrittenWeight[]): readonly ExcludedWeight['as'][] {
  if (rounded.some(({ encoding: { kind } }) => kind === 'int4' || kind === 'blocks')) return ['int8', 'f32']
  return rounded.some(({ encoding }) => 'dynamic' in encoding && encoding.dynamic) ? ['weights', 'f32'] : ['f32']
}

/** Options of the same graph with float32 weights. */
function plainOptions(options: ExportOptions): ExportOptions {
  const { precision: _, precisionOptions: __, halfCompute: ___, ...plain } = options
  return plain
}

/** Compares one model in reduced precision with its float32 graph, in the same runtime. */
export class Gate {
  readonly #known = new Map<ModelInputs, ReadonlyMap<string, NamedTensor>>()
  #room = KEPT_VALUES

  private constructor(
    readonly opened: OpenedModel,
    readonly scratch: string,
    readonly request: GateRequest,
    readonly baseline: Runner,
    readonly inputs: GateInputs,
  ) {}

  /** Writes and opens the float32 graph. @param scratch directory for graphs that are only measured */
  static async open(opened: OpenedModel, scratch: string, request: GateRequest): Promise<Gate> {
    const { target, options, file } = request
    const dir = join(scratch, 'baseline')
    const written = await exportModel(opened.model, opened.source, target, dir, plainOptions(options))
    const baseline = await openToRun(opened, target, graphFile(dir, written))
    const inputs = await gateInputs(opened, options, file, baseline.sequence ?? null)
    return new Gate(opened, scratch, request, baseline, inputs)
  }

  /** Outputs in float32, cached for the next graph up to `KEPT_VALUES`. */
  async #expected({ inputs }: GateBatch): Promise<ReadonlyMap<string, NamedTensor>> {
    const known = this.#known.get(inputs)
    if (known !== undefined) return known
    const outputs = await this.baseline.run(inputs)
    const values = [...outputs.values()].reduce((sum, { data }) => sum + data.length, 0)
    if (values <= this.#room) {
      this.#room -= values
      this.#known.set(inputs, outputs)
    }
    return outputs
  }

  /** Compares a graph with float32. @param inFull false to stop once the threshold is out of reach */
  async #measure(file: string, batches = this.inputs.batches, inFull = true): Promise<Measured> {
    const agreement = new Agreement()
    const accuracy = new Accuracy()
    const rows = batches.reduce((sum, { inputs }) => sum + inputs.batch, 0)
    const tokens = batches.reduce((sum, { inputs }) => sum + inputs.attention_mask.reduce((a, b) => a + b, 0), 0)
    const runner = await openToRun(this.opened, this.request.target, file)
    try {
      for (const batch of batches) {
        const [before, after] = [await this.#expected(batch), await runner.run(batch.inputs)]
        agreement.add(batch.inputs, before, after)
        if (batch.classes !== null) accuracy.add(batch.classes, before, after)
        if (!inFull && agreement.isHopeless(this.request.threshold, rows, tokens)) break
      }
    } finally {
      await runner.close()
    }
    return { agreement, accuracy: accuracy.report(this.inputs.skipped) }
  }

  /** Writes a graph into a separate directory, measures it, and removes it. */
  async #attempt(precisionOptions: PrecisionOptions, batches?: readonly GateBatch[]): Promise<Measured> {
    const dir = join(this.scratch, 'attempt')
    const { options } = this.request
    try {
      const { model, source } = this.opened
      const written = await exportModel(model, source, this.request.target, dir, { ...options, precisionOptions })
      return await this.#measure(graphFile(dir, written), batches, batches !== undefined)
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  }

  #report({ agreement, accuracy }: Measured, spared: readonly ExcludedWeight[]): GateReport {
    const { key, target, threshold } = this.request
    const worst = agreement.worst()
    return {
      artefact: key,
      runner: runnerOf(target),
      inputs: this.inputs.kind,
      rows: agreement.rows,
      outputs: agreement.outputs(),
      agreement: worst,
      threshold,
      accuracy,
      spared,
      ok: worst >= threshold,
    }
  }

  /** Error of each slot if it alone is quantised, worst first. */
  async #alone(slots: readonly string[]): Promise<{ slot: string; error: number }[]> {
    const { onProgress, options, key } = this.request
    const measured: { slot: string; error: number }[] = []
    for (const slot of slots) {
      onProgress?.(progressStep('measuring', `${key}: ${slot}`))
      const keep = new Set(slots.filter((other) => other !== slot))
      const batches = this.inputs.batches.slice(-BATCHES_ALONE)
      const { agreement } = await this.#attempt({ ...options.precisionOptions, float32Slots: keep }, batches)
      measured.push({ slot, error: agreement.distance() })
    }
    return measured.sort((a, b) => b.error - a.error)
  }

  /**
   * Checks `written`, in `dir`. If it fails, every quantised weight is measured alone, and as few of the worst as
   * needed are excluded: first only their activations stay unquantised, or four bits become eight; then the weights
   * stay float32. Up to half of all elements are.
   * @returns the report, and the precision options with which it passes; null if `written` passes or nothing does
   */
  async judge(
    dir: string,
    written: WrittenArtefact,
  ): Promise<{ report: GateReport; instead: PrecisionOptions | null }> {
    const { onProgress, options, key } = this.request
    onProgress?.(progressStep('comparing predictions', key))
    const first = this.#report(await this.#measure(graphFile(dir, written)), [])
    const rounded = written.weights.filter(({ encoding }) => isRounded(encoding))
    if (first.ok || rounded.length === 0) return { report: first, instead: null }
    const measured = await this.#alone(rounded.map(({ slot }) => slot))
    const sizes = new Map(rounded.map(({ slot, shape }) => [slot, elementCount(shape)]))
    const sum = (weights: readonly { slot: string }[]): number =>
      weights.reduce((n, { slot }) => n + (sizes.get(slot) ?? 0), 0)
    for (const as of exclusionsFor(rounded)) {
      for (let n = 1; ; n = Math.min(2 * n, measured.length)) {
        const worst = measured.slice(0, n)
        if (as !== 'weights' && sum(worst) > MOST_SPARED * sum(measured)) break
        const spared = new Set(worst.map(({ slot }) => slot))
        const instead = {
          ...options.precisionOptions,
          [EXCLUSIONS[as]]: spared,
        }
        onProgress?.(progressStep('comparing predictions', key, [n, measured.length]))
        const said = worst.map(({ slot, error }) => ({ slot, as, error }))
        const report = this.#report(await this.#attempt(instead), said)
        if (report.ok) return { report, instead }
        if (n === measured.length) break
      }
    }
    return { report: first, instead: null }
  }

  /** Checks a checkpoint, exported to a graph. */
  async judgeFile(path: string, config: string): Promise<GateReport> {
    const { onProgress, options, target, key } = this.request
    onProgress?.(progressStep('comparing predictions', key))
    const written = await openModel(path, { config, task: options.task })
    try {
      const dir = join(this.scratch, 'attempt')
      const graph = await exportModel(written.model, written.source, target, dir, plainOptions(options))
      return this.#report(await this.#measure(graphFile(dir, graph)), [])
    } finally {
      written.close()
    }
  }

  async close(): Promise<void> {
    await this.baseline.close()
  }
}

/** Runs `body` with a gate; its scratch directory next to `staging` is always removed. */
export async function askGate<T>(
  opened: OpenedModel,
  staging: string,
  request: GateRequest,
  body: (gate: Gate) => Promise<T>,
): Promise<T> {
  const scratch = `${staging}.gate`
  const remove = (): void => {
    rmSync(scratch, { recursive: true, force: true })
  }
  const forget = onInterrupt(remove)
  try {
    const gate = await Gate.open(opened, scratch, request)
    try {
      return await body(gate)
    } finally {
      await gate.close()
    }
  } finally {
    remove()
    forget()
  }
}
