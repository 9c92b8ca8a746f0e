import { AlbertkitError, usage } from '../../errors.js'
import type { AlbertModel } from '../../model/albert.js'
import { hiddenStateCount } from '../../model/outputs.js'
import { parametersOf } from '../../model/weights.js'
import { openRunner, RUNNERS, type ArtefactKind, type Runner } from '../../runtime/index.js'
import { compare, maskedRows, type Comparison, type Values } from '../../verify/compare.js'
import type { OpenedModel } from '../open.js'
import { runnable } from './artefacts.js'
import type { NotRun, VerifyOptions } from './report.js'
import type { Trial } from './trials.js'

/** Above this, pure JavaScript takes minutes; `--runner tfjs-cpu` runs it all the same. */
const TFJS_CPU_MAX_WEIGHT_BYTES = 100e6

export interface CompareRunOptions {
  readonly skipMasked?: boolean
  /** Element type of the weights, where it is not float32. */
  readonly precision?: string
}

/** Runs one runner through every trial. */
export class Verification {
  readonly comparisons: Comparison[] = []
  readonly notRun: NotRun[] = []

  constructor(
    readonly model: AlbertModel,
    readonly trials: readonly Trial[],
    readonly options: VerifyOptions,
  ) {}

  /** Compares a run with what it should be; `skipMasked` leaves rows out whose every position is masked. */
  compareRun(
    runner: string,
    trial: Trial,
    run: ReadonlyMap<string, Values>,
    { skipMasked = false, precision }: CompareRunOptions = {},
  ): void {
    const { inputs, bound } = trial
    const masked = maskedRows(inputs.attention_mask, inputs.batch, inputs.sequence)
    for (const { name, actual, expected } of trial.pairs(run)) {
      if (actual === null) {
        this.notRun.push({ runner, output: name, reason: 'the run has no such output' })
        continue
      }
      const compared = compare(runner, name, actual, expected, { bound, atol: this.options.atol, masked })
      const kept = compared.filter(({ rows }) => !skipMasked || rows !== 'masked')
      this.comparisons.push(...(precision === undefined ? kept : kept.map((c) => ({ ...c, dtype: precision }))))
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

/** Opens and runs every runner that `v` asks for. */
export async function runRunners(
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
      runner = await openRunner(name, runnable(opened, directory, kind, inner ? 'marks' : 'outputs'))
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
