import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AlbertkitError, usage } from '../errors.js'
import { onnxGraphNames, openOnnxWeights } from '../formats/onnx.js'
import { openSource } from '../formats/open.js'
import { openTfjsWeights } from '../formats/tfjs.js'
import type { TensorSource } from '../formats/source.js'
import type { AlbertModel, Parameter } from '../model/albert.js'
import type { HeadSelection } from '../model/forward.js'
import { ALL_HEADS, headsFor, hiddenStateCount, type Task } from '../model/outputs.js'
import { runReference, type ModelInputs } from '../model/reference-run.js'
import { parametersOf } from '../model/weights.js'
import { openRunner, RUNNERS, type ArtefactKind, type Runnable, type Runner } from '../runtime/index.js'
import {
  compare,
  GOLDEN_BOUND,
  maskedRows,
  REFERENCE_BOUND,
  type Bound,
  type Comparison,
  type Values,
} from '../verify/compare.js'
import { counterpart, readGolden, type Golden } from '../verify/golden.js'
import { defaultInputs } from '../verify/inputs.js'
import { compareWeights, type WeightDifference } from '../verify/weights.js'
import { openModel, type OpenedModel, type OpenModelOptions } from './open.js'

export interface VerifyOptions extends OpenModelOptions {
  /** Runners by name; all that can run if left out. */
  readonly runners?: readonly string[]
  /** File of inputs and outputs that TensorFlow or PyTorch computed. */
  readonly golden?: string
  /** Absolute bound instead of the usual ones. */
  readonly atol?: number
  /** Compare every hidden state and name the first that differs. */
  readonly layers?: boolean
  /** Told what is being done, for progress. */
  readonly onProgress?: (what: string) => void
}

export interface ArtefactWeightCheck {
  readonly artefact: ArtefactKind
  readonly compared: number
  readonly differences: readonly WeightDifference[]
  readonly ok: boolean
}

/** Something that was not run, and why. */
export interface NotRun {
  readonly runner: string
  readonly output?: string
  readonly reason: string
}

export interface VerifyReport {
  readonly ok: boolean
  readonly family: string
  /** The golden's file name, or null where the float64 reference is the arbiter. */
  readonly golden: string | null
  /** Shapes `[batch, sequence]` of the inputs. */
  readonly inputs: readonly (readonly number[])[]
  readonly comparisons: readonly Comparison[]
  readonly weights: readonly ArtefactWeightCheck[]
  readonly notRun: readonly NotRun[]
  /** With `layers`: the first hidden state that differs in any runner. */
  readonly firstDivergent?: Divergence | null
}

/** A hidden state beyond its bound; layer −1 is the embeddings. */
export interface Divergence {
  readonly runner: string
  readonly layer: number
  readonly output: string
}

/** Above this, pure JavaScript takes minutes; `--runner tfjs-cpu` runs it all the same. */
const TFJS_CPU_MAX_WEIGHT_BYTES = 100e6

/** Inputs, and what each output should be; `expected` gives null where there is nothing to compare with. */
interface Trial {
  readonly inputs: ModelInputs
  readonly bound: Bound
  /** Compares a run's outputs by name, and tells what could not be compared. */
  readonly pairs: (run: ReadonlyMap<string, Values>) => { name: string; actual: Values | null; expected: Values }[]
}

/** A trial whose arbiter is the float64 reference; outputs the run lacks are not its business. */
function referenceTrial(opened: OpenedModel, inputs: ModelInputs, heads: HeadSelection): Trial {
  const expected = runReference(opened.model, opened.source, inputs, heads)
  return {
    inputs,
    bound: REFERENCE_BOUND,
    pairs: (run) =>
      [...run].flatMap(([name, actual]) => {
        const values = expected.get(name)
        return values === undefined ? [] : [{ name, actual, expected: values }]
      }),
  }
}

const goldenTrial = (golden: Golden, model: AlbertModel): Trial => ({
  inputs: golden.inputs,
  bound: GOLDEN_BOUND,
  pairs: (run) =>
    [...golden.outputs].map(([name, expected]) => ({ name, actual: counterpart(golden, name, model, run), expected })),
})

/** Runs one runner through every trial. */
class Verification {
  readonly comparisons: Comparison[] = []
  readonly notRun: NotRun[] = []

  constructor(
    readonly model: AlbertModel,
    readonly trials: readonly Trial[],
    readonly options: VerifyOptions,
  ) {}

  compareRun(runner: string, trial: Trial, run: ReadonlyMap<string, Values>): void {
    const { inputs, bound } = trial
    const masked = maskedRows(inputs.attention_mask, inputs.batch, inputs.sequence)
    for (const { name, actual, expected } of trial.pairs(run)) {
      if (actual === null) this.notRun.push({ runner, output: name, reason: 'the run has no such output' })
      else this.comparisons.push(...compare(runner, name, actual, expected, { bound, atol: this.options.atol, masked }))
    }
  }

  async runAll(runner: Runner): Promise<void> {
    const golden = this.options.golden !== undefined
    const wanted =
      golden || this.options.layers === true ? [...new Set([...runner.outputs, ...runner.marks])] : runner.outputs
    for (const trial of this.trials) {
      const run = new Map<string, Values>(await runner.run(trial.inputs, wanted))
      // In a graph the last hidden state is the value that is called last_hidden_state.
      const last = `hidden_state_${hiddenStateCount(this.model) - 1}`
      const value = run.get('last_hidden_state')
      if (wanted.length > runner.outputs.length && value !== undefined && !run.has(last)) run.set(last, value)
      this.compareRun(runner.name, trial, run)
    }
  }
}

/** Which forms a directory holds. */
export const artefactsIn = (directory: string): ArtefactKind[] =>
  (['tfjs', 'onnx'] as const).filter((kind) => existsSync(artefactFile(directory, kind)))

export const artefactFile = (directory: string, kind: ArtefactKind): string =>
  join(directory, kind, kind === 'tfjs' ? 'model.json' : 'model.onnx')

const openArtefactWeights = (directory: string, kind: ArtefactKind): TensorSource =>
  kind === 'tfjs' ? openTfjsWeights(artefactFile(directory, kind)) : openOnnxWeights(artefactFile(directory, kind))

/** The parameters of the model that an artefact holds or ought to hold: those of its slots' parts. */
function partsIn(model: AlbertModel, artefact: TensorSource): Parameter[] {
  const has = (prefix: string): boolean => [...artefact.tensors.keys()].some((slot) => slot.startsWith(prefix))
  const head = (slot: string): string | undefined => /^(mlm|sop|classifier|pooler)\//.exec(slot)?.[0]
  return [...parametersOf(model)].filter((p) => {
    const prefix = head(p.slot)
    return prefix === undefined || has(prefix)
  })
}

function checkWeights(opened: OpenedModel, directory: string, kind: ArtefactKind): ArtefactWeightCheck {
  const artefact = openArtefactWeights(directory, kind)
  try {
    const check = compareWeights(opened.source, artefact, partsIn(opened.model, artefact))
    return { artefact: kind, ...check, ok: check.differences.length === 0 }
  } finally {
    artefact.close()
  }
}

/** Inner values that the exporters name. */
const MARK = /^(hidden_state_\d+|embedding_output|embedding_hidden_mapping_in)$/

/** What a runner is to load: the artefact, with its inner values where they are wanted, or the source itself. */
function runnable(opened: OpenedModel, directory: string | null, kind: ArtefactKind, inner: boolean): Runnable {
  if (directory === null) return { model: opened.model, source: opened.source }
  const file = artefactFile(directory, kind)
  if (kind !== 'onnx' || !inner) return { file }
  const { values, outputs } = onnxGraphNames(file)
  return { file, marks: values.filter((name) => MARK.test(name) && !outputs.includes(name)) }
}

/** The runners for the forms in `directory`, or for the source itself where there is none. */
function chooseRunners(opened: OpenedModel, kinds: readonly ArtefactKind[] | null, v: Verification): string[] {
  const { runners } = v.options
  const able = RUNNERS.filter((r) => (kinds === null ? r.eager : kinds.includes(r.artefact))).map((r) => r.name)
  if (runners !== undefined) {
    for (const name of runners) {
      if (name === 'reference' || able.includes(name)) continue
      throw usage(
        RUNNERS.some((r) => r.name === name) ? `${name} has nothing to run here` : `there is no runner ${name}`,
        {
          hint: `runners for this: reference, ${able.join(', ')}`,
        },
      )
    }
    return runners.filter((name) => name !== 'reference')
  }
  // A golden judges the source by the reference alone unless a runner is named.
  if (kinds === null && v.options.golden !== undefined) return []
  const bytes = [...parametersOf(opened.model)].reduce((sum, p) => sum + 4 * p.shape.reduce((a, b) => a * b, 1), 0)
  return able.filter((name) => {
    if (name !== 'tfjs-cpu' || bytes <= TFJS_CPU_MAX_WEIGHT_BYTES) return true
    v.notRun.push({ runner: name, reason: `more than 100 MB of weights; --runner ${name} runs it all the same` })
    return false
  })
}

async function runRunners(
  opened: OpenedModel,
  directory: string | null,
  kinds: readonly ArtefactKind[] | null,
  v: Verification,
): Promise<void> {
  const names = chooseRunners(opened, kinds, v)
  const ran = new Set<ArtefactKind>()
  for (const name of names) {
    const kind = RUNNERS.find((r) => r.name === name)?.artefact
    if (kind === undefined) continue
    v.options.onProgress?.(`running ${name}`)
    let runner: Runner
    try {
      const inner = v.options.golden !== undefined || v.options.layers === true
      runner = await openRunner(name, runnable(opened, directory, kind, inner))
    } catch (error) {
      // A runtime that is not installed is left out, unless it was asked for or nothing else can run the artefact.
      if (!(error instanceof AlbertkitError && error.kind === 'environment') || v.options.runners !== undefined)
        throw error
      v.notRun.push({ runner: name, reason: error.message })
      continue
    }
    try {
      await v.runAll(runner)
      ran.add(kind)
    } finally {
      await runner.close()
    }
  }
  if (v.options.runners !== undefined) return
  for (const kind of kinds ?? []) {
    if (ran.has(kind)) continue
    throw new AlbertkitError('environment', `no runtime could run the ${kind} artefact`, {
      hint: v.notRun.map((n) => `${n.runner}: ${n.reason}`).join('; '),
    })
  }
}

/** The first hidden state beyond its bound, over all runners. */
function firstDivergence(comparisons: readonly Comparison[]): Divergence | null {
  const found = comparisons
    .filter((c) => !c.ok)
    .map((c) => ({ runner: c.runner, output: c.output, layer: layerOf(c.output) }))
    .filter((c): c is Divergence => c.layer !== null)
  return found.reduce<Divergence | null>((best, c) => (best === null || c.layer < best.layer ? c : best), null)
}

/** Number of the layer that an output comes after; −1 for the embeddings. */
function layerOf(output: string): number | null {
  if (output.startsWith('embedding_')) return -1
  const tf = /^(?:hidden_state|all_encoder_layers)_(\d+)$/.exec(output)
  if (tf !== null) return Number(tf[1])
  const hf = /^hidden_states_(\d+)$/.exec(output)
  return hf === null ? null : Number(hf[1]) - 1
}

async function makeTrials(opened: OpenedModel, heads: HeadSelection, options: VerifyOptions): Promise<Trial[]> {
  if (options.golden !== undefined) {
    const source = await openSource(options.golden)
    try {
      return [goldenTrial(readGolden(source, opened.model), opened.model)]
    } finally {
      source.close()
    }
  }
  options.onProgress?.('running the float64 reference')
  return defaultInputs(opened.model, heads).map((inputs) => referenceTrial(opened, inputs, heads))
}

/** Verifies an opened model, and its artefacts in `directory` if one is given. */
export async function verifyOpened(
  opened: OpenedModel,
  directory: string | null,
  options: VerifyOptions = {},
  task?: Exclude<Task, 'auto'>,
): Promise<VerifyReport> {
  const kinds = directory === null ? null : artefactsIn(directory)
  const weights: ArtefactWeightCheck[] = []
  if (directory !== null) {
    for (const kind of kinds ?? []) {
      options.onProgress?.(`comparing the weights of ${kind}`)
      weights.push(checkWeights(opened, directory, kind))
    }
  }
  const heads = task === undefined ? ALL_HEADS : headsFor(task)
  const trials = await makeTrials(opened, heads, options)
  const v = new Verification(opened.model, trials, options)
  if (options.golden !== undefined && (options.runners === undefined || options.runners.includes('reference'))) {
    for (const trial of trials) {
      options.onProgress?.('running the float64 reference')
      v.compareRun('reference', trial, runReference(opened.model, opened.source, trial.inputs, ALL_HEADS))
    }
  }
  await runRunners(opened, directory, kinds, v)
  const { comparisons, notRun } = v
  return {
    ok: comparisons.length > 0 && comparisons.every((c) => c.ok) && weights.every((w) => w.ok),
    family: opened.config.family,
    golden: options.golden ?? null,
    inputs: trials.map(({ inputs }) => [inputs.batch, inputs.sequence]),
    comparisons,
    weights,
    notRun,
    ...(options.layers === true ? { firstDivergent: firstDivergence(comparisons) } : {}),
  }
}

/**
 * Verifies a model: against a golden, or against the float64 reference through every runtime that can run its
 * artefacts in `directory`; without artefacts, the source runs through eager TensorFlow.js.
 * @throws AlbertkitError where something cannot be read or run; a failed comparison is a report with `ok: false`
 */
export async function verifyModel(
  path: string,
  directory: string | null,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  if (directory !== null && artefactsIn(directory).length === 0) {
    throw new AlbertkitError('malformed', 'the directory holds no artefact', {
      file: directory,
      hint: 'an artefact is tfjs/model.json or onnx/model.onnx, as `convert` writes them',
    })
  }
  const opened = await openModel(path, options)
  try {
    return await verifyOpened(opened, directory, options)
  } finally {
    opened.close()
  }
}
