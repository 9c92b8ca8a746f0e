import { progressStep } from '../../base/abort.js'
import { yieldToEventLoop } from '../../base/yield.js'
import { environment, isEnvironment, usage, type AlbertkitError } from '../../base/errors.js'
import type { GraphTarget, Precision } from '../../base/artefact-layout.js'
import { forwardFlops } from '../../model/accounting/cost.js'
import { headRow, type HeadSelection } from '../../model/tasks.js'
import { hiddenStateCount } from '../../model/outputs.js'
import { headsOn, type ModelInputs } from '../../model/reference/run.js'
import { RUNNERS, toleranceClassOf, type Runnable, type Runner, type RunnerInfo } from '../../runtime/runners.js'
import { compare, maskedRows, type Comparison, type Values } from '../../compare/compare.js'
import type { Step } from '../../compare/replay.js'
import { boundOf, type Arithmetic } from '../../compare/tolerance.js'
import type { OpenedModel } from '../open/open.js'
import { openListening } from '../runner-thread/open.js'
import { runnable } from './artefacts.js'
import { layerOf } from './divergence.js'
import { isNearBound, relaxToFloat32Error } from './float32-error.js'
import { judgeOperations } from './operations.js'
import type { NotRun, OperationReport, RuntimeReport, VerifyOptions } from './report.js'
import { TemporaryArtefacts } from './artefacts.js'
import type { TestCase } from './test-cases.js'

/** Floating-point operations that take pure JavaScript a second; `runners: ['tfjs-cpu']` runs more. */
const TFJS_CPU_FLOPS = 0.5e9

const MLM_OUTPUTS: ReadonlySet<string> = new Set(headRow('mlm').outputs)

/** Outputs of a runner for a test case. */
interface Run {
  readonly testCase: TestCase
  readonly values: ReadonlyMap<string, Values>
  readonly skipMasked: boolean
}

export interface CompareRunOptions {
  readonly skipMasked?: boolean
  /** Element type of the weights unless float32. */
  readonly precision?: string
}

const reasonOf = ({ message, hint }: AlbertkitError): string => (hint === undefined ? message : `${message} (${hint})`)

/** True if a runner pads inputs, so that rows that are masked everywhere have other outputs than in the reference. */
export const paddedBy = ({ sequence }: Runner, inputs: ModelInputs): boolean =>
  sequence !== undefined && inputs.sequence < sequence

/** Inputs without the rows that are masked everywhere. */
function withoutMaskedRows(inputs: ModelInputs): ModelInputs {
  const { batch, sequence, input_ids, attention_mask, token_type_ids } = inputs
  const masked = maskedRows(attention_mask, batch, sequence)
  const kept = (values: Int32Array): Int32Array =>
    values.filter((_value, i) => masked[Math.floor(i / sequence)] !== true)
  const rows = masked.filter((all) => !all).length
  // Removed rows leave incomplete examples: each row becomes a separate example.
  const single = inputs.choices === undefined ? {} : { choices: 1 }
  return {
    batch: rows,
    sequence,
    ...single,
    input_ids: kept(input_ids),
    attention_mask: kept(attention_mask),
    token_type_ids: kept(token_type_ids),
  }
}

/** True if hidden states are compared too. */
const wantsStates = ({ golden, layers, bisect }: VerifyOptions): boolean =>
  golden !== undefined || layers === true || bisect === true

/** Runs every test case in the runners and collects the findings. */
export class Verification {
  readonly comparisons: Comparison[] = []
  readonly notRun: NotRun[] = []
  /** Largest float32 error by output, for outputs whose bound is that error. */
  readonly float32Errors = new Map<string, number>()
  readonly runtimes: RuntimeReport[] = []
  readonly operations: OperationReport[] = []
  /** First wrong operation of each runner. */
  readonly wrong: Step[] = []

  constructor(
    readonly opened: OpenedModel,
    readonly testCases: readonly TestCase[],
    readonly heads: HeadSelection,
    readonly options: VerifyOptions,
  ) {}

  /** Compares a run with its expected outputs; `skipMasked` leaves out rows whose every position is masked. */
  async compareRun(
    runner: string,
    testCase: TestCase,
    run: ReadonlyMap<string, Values>,
    { skipMasked = testCase.skipMasked ?? false, precision }: CompareRunOptions = {},
  ): Promise<void> {
    const { inputs } = testCase
    const bound = testCase.bound ?? boundOf(toleranceClassOf(runner), 'float32')
    const masked = maskedRows(inputs.attention_mask, inputs.batch, inputs.sequence)
    for (const { name, actual, expected, bound: own } of testCase.pairs(run)) {
      if (actual === null) {
        this.notRun.push({ runner, output: name, reason: 'the runner has no such output' })
        continue
      }
      const found = compare(runner, name, actual, expected, { bound: own ?? bound, atol: this.options.atol, masked })
      const compared: Comparison[] = []
      for (const comparison of found) compared.push(await this.#orByFloat32Error(comparison, testCase))
      const kept = compared.filter(({ rows }) => !skipMasked || rows !== 'masked')
      this.comparisons.push(...(precision === undefined ? kept : kept.map((c) => ({ ...c, dtype: precision }))))
    }
  }

  /** Notes for the user on the bounds. */
  get notes(): string[] {
    return [...this.float32Errors].map(
      ([name, by]) => `float32 rounding alone changes ${name} by ${by.toExponential(1)} in this model`,
    )
  }

  /** Relaxes a comparison that is near its bound to the float32 error of the model on these inputs. */
  async #orByFloat32Error(comparison: Comparison, { float32Errors }: TestCase): Promise<Comparison> {
    if (float32Errors === undefined || this.options.atol !== undefined || !isNearBound(comparison)) return comparison
    const { output, rows } = comparison
    const float32Error = await float32Errors(output, rows)
    if (float32Error === undefined) return comparison
    const judged = relaxToFloat32Error(comparison, float32Error)
    const name = rows === undefined ? output : `${output} (${rows} rows)`
    if (judged !== comparison)
      this.float32Errors.set(name, Math.max(float32Error.maxAbs ?? 0, this.float32Errors.get(name) ?? 0))
    return judged
  }

  /** Test cases that a runner can run: a file of fixed length takes no longer ones. */
  casesFor({ name, sequence = Infinity }: Runner): readonly TestCase[] {
    const able = this.testCases.filter(({ inputs }) => inputs.sequence <= sequence)
    if (able.length === 0)
      this.notRun.push({ runner: name, reason: `the file takes ${sequence} tokens a row, and every input has more` })
    return able
  }

  /** Runs the test cases that the runner takes; `compareAll` judges the runs once the runner is closed. */
  async runAll(runner: Runner): Promise<Run[]> {
    const wanted = wantsStates(this.options) ? [...new Set([...runner.outputs, ...runner.marks])] : runner.outputs
    const runs: Run[] = []
    const ms: number[] = []
    for (const testCase of this.casesFor(runner)) {
      const { withoutMlm } = testCase.inputs
      const asked = withoutMlm === true ? wanted.filter((name) => !MLM_OUTPUTS.has(name)) : wanted
      const values = new Map<string, Values>(await runner.run(testCase.inputs, asked.length > 0 ? asked : wanted))
      // In a graph the last hidden state is named last_hidden_state.
      const last = `hidden_state_${hiddenStateCount(this.opened.model) - 1}`
      const value = values.get('last_hidden_state')
      if (wanted.length > runner.outputs.length && value !== undefined && !values.has(last)) values.set(last, value)
      runs.push({ testCase, values, skipMasked: paddedBy(runner, testCase.inputs) })
      await this.time(runner, testCase.inputs, ms)
    }
    this.noteRuntime(runner, 'float32', ms)
    return runs
  }

  /**
   * Compares runs. Near a bound this computes the float32 error of the model, which holds its weights once more: a
   * runner that still held them too would double the memory.
   */
  async compareAll(runner: string, runs: readonly Run[]): Promise<void> {
    for (const { testCase, values, skipMasked } of runs)
      await this.compareRun(runner, testCase, values, skipMasked ? { skipMasked } : {})
  }

  /** True if a hidden state of this runner exceeds its bound. */
  diverges(runner: string): boolean {
    return this.comparisons.some((c) => c.runner === runner && !c.ok && layerOf(c.output) !== null)
  }

  /** Checks each operation of a runner that was opened with its inner values. */
  async judge(runner: Runner): Promise<void> {
    if (runner.inner.length === 0) {
      this.notRun.push({ runner: runner.name, reason: 'the file does not name its inner values; convert it again' })
      return
    }
    const inputs = this.casesFor(runner)
      .map(({ inputs: given }) => (paddedBy(runner, given) ? withoutMaskedRows(given) : given))
      .filter(({ batch }) => batch > 0)
    const { operations, first } = await judgeOperations(this.opened, runner, inputs, this.heads, {
      signal: this.options.signal,
    })
    this.operations.push(...operations)
    if (first !== null) this.wrong.push(first)
  }

  /** Times a second run if a GPU is requested: the first compiles shaders and uploads weights. */
  async time(runner: Runner, inputs: ModelInputs, ms: number[]): Promise<void> {
    if (this.options.gpu !== true) return
    const start = performance.now()
    await runner.run(inputs)
    ms.push(Math.round((performance.now() - start) * 100) / 100)
  }

  noteRuntime(runner: Runner, precision: Arithmetic, ms: readonly number[], dtype?: Precision): void {
    const { name, detail, adapter } = runner
    const stored = dtype === undefined ? {} : { dtype }
    this.runtimes.push({ runner: name, detail, ...stored, precision, adapter, ...(ms.length > 0 ? { ms } : {}) })
  }

  /** Does `work`; an unavailable runner is noted, or is an error if it was requested by name. */
  async unlessAbsent<T>(name: string, work: () => Promise<T>): Promise<T | null> {
    try {
      return await work()
    } catch (error) {
      if (!isEnvironment(error) || this.options.runners !== undefined) throw error
      const reason = reasonOf(error)
      // Tried once per artefact, with the same result.
      if (!this.notRun.some((n) => n.runner === name && n.reason === reason)) this.notRun.push({ runner: name, reason })
      return null
    }
  }

  /** Floating-point operations of the longest run. */
  get #longest(): number {
    const { opened, heads, testCases } = this
    return Math.max(
      0,
      ...testCases.map(({ inputs: x }) => forwardFlops(opened.model, headsOn(heads, x), x.batch, x.sequence)),
    )
  }

  /** Opens a runner, or notes that it is unavailable and returns null. */
  open(name: string, what: Runnable): Promise<Runner | null> {
    return this.unlessAbsent(name, () =>
      openListening(name, what, { ...this.options, fewRuns: true }, { flops: this.#longest }),
    )
  }
}

/** True if a runner has something to run: a graph of the directory, or the source, exported if needed. */
const hasWork = (r: RunnerInfo, kinds: readonly GraphTarget[] | null): boolean =>
  kinds === null || kinds.includes(r.artefact)

/**
 * Names of the runners for graphs in a directory, or for the source itself.
 * @param kinds targets of the directory's float32 graphs; null without a directory
 * @param rounded targets of its graphs in reduced precision, which `quantised.ts` runs
 */
function chooseRunners(
  opened: OpenedModel,
  kinds: readonly GraphTarget[] | null,
  rounded: readonly GraphTarget[],
  v: Verification,
): string[] {
  const { runners, gpu } = v.options
  const able = RUNNERS.filter((r) => hasWork(r, kinds))
  if (runners !== undefined) {
    const asked = RUNNERS.filter((r) => hasWork(r, kinds) || rounded.includes(r.artefact))
    for (const name of runners) {
      if (name === 'reference' || asked.some((r) => r.name === name)) continue
      const known = RUNNERS.some((r) => r.name === name)
      throw usage(known ? `${name} has nothing to run here` : `there is no runner ${name}`, {
        code: 'name-unknown',
        hint: `runners for this: ${['reference', ...asked.map((r) => r.name)].join(', ')}`,
      })
    }
    return runners.filter((name) => able.some((r) => r.name === name))
  }
  if (gpu === true) return able.filter((r) => r.device === 'gpu').map((r) => r.name)
  // With a golden or another model as the arbiter, only the reference runs the source unless runners are named.
  if (kinds === null && (v.options.golden !== undefined || v.options.referenceModel !== undefined)) return []
  const flops = v.testCases.reduce(
    (sum, { inputs: x }) => sum + forwardFlops(opened.model, headsOn(v.heads, x), x.batch, x.sequence),
    0,
  )
  const usual = able.filter((r) => r.device === 'cpu' && (kinds !== null || r.openEager !== null)).map((r) => r.name)
  return usual.filter((name) => {
    if (name !== 'tfjs-cpu' || flops <= TFJS_CPU_FLOPS) return true
    const seconds = Math.round(flops / TFJS_CPU_FLOPS)
    v.notRun.push({ runner: name, reason: `would take about ${seconds} s; use \`runners\` ${name} to run it` })
    return false
  })
}

/** Opens and runs one runner; false if it is unavailable. */
async function runRunner(name: string, directory: string | null, kind: GraphTarget, v: Verification): Promise<boolean> {
  const { opened, options } = v
  const open = (wanted: 'outputs' | 'marks' | 'operations') => v.open(name, runnable(opened, directory, kind, wanted))
  const using = async <T>(runner: Runner, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } finally {
      await runner.close()
    }
  }
  const runner = await open(options.bisect === true ? 'operations' : wantsStates(options) ? 'marks' : 'outputs')
  if (runner === null) return false
  const runs = await using(runner, async () => {
    const done = await v.runAll(runner)
    if (options.bisect === true) await v.judge(runner)
    return done
  })
  await v.compareAll(name, runs)
  if (options.bisect === true || options.layers !== true || !v.diverges(name)) return true
  options.onProgress?.(progressStep('searching', name))
  const again = await open('operations')
  if (again !== null) await using(again, () => v.judge(again))
  return true
}

/** Opens and runs every runner that the options of `v` select. */
export async function runRunners(
  directory: string | null,
  kinds: readonly GraphTarget[] | null,
  rounded: readonly GraphTarget[],
  v: Verification,
): Promise<void> {
  const { opened, options } = v
  const ran = new Set<GraphTarget>()
  const temporary = new TemporaryArtefacts(opened)
  try {
    for (const name of chooseRunners(opened, kinds, rounded, v)) {
      const info = RUNNERS.find((r) => r.name === name)
      if (info === undefined) continue
      await yieldToEventLoop()
      options.onProgress?.(progressStep('running', name))
      const place = directory ?? (info.openEager !== null ? null : await temporary.directory(info.artefact))
      if (await runRunner(name, place, info.artefact, v)) ran.add(info.artefact)
    }
  } finally {
    temporary.remove()
  }
  if (options.runners !== undefined || options.gpu === true) return
  for (const kind of kinds ?? [])
    if (!ran.has(kind))
      throw environment(`no runtime could run the ${kind} artefact`, { code: 'device-missing', hint: reasonsIn(v) })
}

/** Reasons why runners did not run, one line per reason. */
function reasonsIn({ notRun }: Verification): string {
  const runners = new Map<string, string[]>()
  for (const { runner, reason } of notRun) runners.set(reason, [...(runners.get(reason) ?? []), runner])
  return [...runners].map(([reason, names]) => `${names.join(', ')}: ${reason}`).join('\n')
}

/** Checks the use of a GPU. @throws AlbertkitError `environment` if one was requested and nothing ran on it */
export function requireGpu(v: Verification): void {
  if (v.options.gpu === true && v.runtimes.length === 0)
    throw environment('no runtime found a usable GPU', { code: 'device-missing', hint: reasonsIn(v) })
}
