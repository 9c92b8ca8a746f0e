import { existsSync } from 'node:fs'
import type { OnProgress } from '../../base/abort.js'
import { AlbertkitError } from '../../base/errors.js'
import { missedBudgets } from './budgets.js'
import { whyAgain, type InputHashes } from './identity.js'
import type { ModelBuild } from './model-build.js'
import { manifestHash, plannedSteps, whyOutputChanged, type PlannedStep } from './planned-steps.js'
import { writeRecord, type BuildRecord } from './record.js'
import type { ArtefactFigures, ModelBuildReport, BuildError, BuildStepReport } from './report.js'
import { StepHost } from './step-host.js'
import type { StepResult } from './steps.js'

/** Exit code of an error that is none of ours: a bug (EX_SOFTWARE of sysexits.h). */
const UNEXPECTED = 70

export interface ModelBuildOptions {
  readonly cache: string
  readonly hashes: InputHashes
  readonly record: BuildRecord
  readonly force: boolean
  readonly dryRun: boolean
  readonly onStep: (name: string) => void
  readonly onProgress: OnProgress
}

const errorOf = (error: unknown): BuildError => {
  if (!(error instanceof AlbertkitError))
    return { kind: 'unexpected', code: 'unexpected', message: error instanceof Error ? error.message : String(error) }
  const { kind, code, message, hint, place } = error
  return {
    ...{ kind, code, message },
    ...(hint === undefined ? {} : { hint }),
    ...(place.file === undefined ? {} : { file: place.file }),
  }
}

const NO_FIGURES: Omit<ArtefactFigures, 'artefact' | 'files' | 'bytes'> = {
  maxAbs: null,
  agreement: null,
  accuracy: null,
  f1: null,
  p50: null,
}

/** The figures of all steps, by artefact; those of `bench` are by file. */
function figuresOf(results: readonly StepResult[]): ArtefactFigures[] {
  const [converted, ...others] = results
  return Object.entries(converted?.figures ?? {}).map(([artefact, own]) => {
    const files = own.files ?? []
    const measured = others.flatMap(({ figures }) => [artefact, ...files].flatMap((name) => figures[name] ?? []))
    return Object.assign({ artefact, files, bytes: own.bytes ?? 0, ...NO_FIGURES }, own, ...measured) as ArtefactFigures
  })
}

/** Builds one model, step by step; what an earlier build did with the same inputs is not done again. */
export class ModelBuilder {
  readonly #host = new StepHost()
  readonly #steps: BuildStepReport[] = []
  readonly #results: StepResult[] = []
  #planned: PlannedStep[] = []
  #exitCode = 0
  #seconds = 0

  constructor(
    readonly build: ModelBuild,
    readonly options: ModelBuildOptions,
  ) {}

  /** Everything but the measurement of time, which needs the machine for itself. */
  async make(): Promise<void> {
    try {
      this.#planned = plannedSteps(this.build, this.options.hashes)
    } catch (error) {
      this.#fail({ name: 'convert', why: null, seconds: null, missed: [] }, error)
      return
    }
    for (const step of this.#planned) if (step.name !== 'bench') await this.#do(step)
    this.#host.close()
  }

  /** The measurement, if it is asked for, and the budgets. */
  async measure(): Promise<ModelBuildReport> {
    for (const step of this.#planned) if (step.name === 'bench') await this.#do(step)
    this.#host.close()
    this.#judge()
    return this.#report()
  }

  /** Ends what runs. */
  stop(): void {
    this.#host.close()
  }

  get needsMachine(): boolean {
    return this.#planned.some(({ name }) => name === 'bench')
  }

  get #failed(): boolean {
    return this.#steps.some(({ status }) => status === 'failed')
  }

  async #whyNow(step: PlannedStep): Promise<string | null> {
    const { record, force } = this.options
    const { output } = this.build
    const identity = step.identity(step.name === 'convert' ? null : manifestHash(output))
    const why = whyAgain(record.steps[step.name]?.identity, identity)
    // Nothing before this step changed the directory, or else it has other hashes.
    const isNew = why === 'new'
    if (step.name === 'convert') {
      if (isNew && record.output !== null) return 'the last build did not succeed'
      return why ?? (force ? 'forced' : await whyOutputChanged(output))
    }
    return why ?? (force ? 'forced' : null)
  }

  async #do(step: PlannedStep): Promise<void> {
    const { options, build } = this
    const { record, cache, dryRun } = options
    const empty = { name: step.name, why: null, seconds: null, missed: [], error: null }
    if (this.#failed) {
      this.#steps.push({ ...empty, status: 'left' })
      return
    }
    const from = performance.now()
    let why: string | null = null
    const seconds = (): number => (performance.now() - from) / 1000
    try {
      const redone = dryRun && this.#steps.some(({ status }) => status === 'planned')
      why =
        (await this.#whyNow(step)) ?? (redone ? 'the model is converted again; skipped if it comes out the same' : null)
      if (why === null || dryRun) {
        if (why === null) this.#results.push(record.steps[step.name]!.result)
        this.#steps.push({ ...empty, status: why === null ? 'cached' : 'planned', why })
        return
      }
      options.onStep(step.name)
      const result = await this.#run(step)
      this.#seconds += seconds()
      const { missed } = result
      if (missed.length === 0) {
        this.#results.push(result)
        const identity = step.identity(step.name === 'convert' ? null : manifestHash(build.output))
        record.steps[step.name] = { identity, result }
        writeRecord(cache, build.name, record)
      } else this.#exitCode = Math.max(this.#exitCode, 1)
      this.#steps.push({ ...empty, status: missed.length === 0 ? 'done' : 'failed', why, seconds: seconds(), missed })
    } catch (error) {
      this.#seconds += seconds()
      this.#fail({ name: step.name, why, seconds: seconds(), missed: [] }, error)
    }
  }

  async #run(step: PlannedStep): Promise<StepResult> {
    const { record, cache, force, onProgress } = this.options
    const { output, name } = this.build
    const own = this.options.hashes.nameOf(output)
    const isOurs = force || record.output === own
    if (step.name === 'convert' && (isOurs || !existsSync(output))) {
      // Known before anything is written, so that a build that is killed recognises its own directory.
      record.output = own
      delete record.steps.convert
      writeRecord(cache, name, record)
    }
    const artefacts = Object.keys(record.steps.convert?.result.figures ?? {})
    return this.#host.run(step.job(artefacts, isOurs), onProgress)
  }

  #fail(step: Omit<BuildStepReport, 'status' | 'error'>, error: unknown): void {
    this.#steps.push({ ...step, status: 'failed', error: errorOf(error) })
    this.#exitCode = Math.max(this.#exitCode, error instanceof AlbertkitError ? error.exitCode : UNEXPECTED)
  }

  #judge(): void {
    const { budgets } = this.build
    const limits = ['size', 'latency', 'accuracy', 'f1'] as const
    if (limits.every((name) => budgets[name] === undefined) || this.#failed) return
    const empty = { name: 'budgets', why: null, seconds: null, error: null }
    if (this.#steps.some(({ status }) => status === 'planned')) {
      this.#steps.push({ ...empty, status: 'planned', missed: [] })
      return
    }
    const missed = missedBudgets(this.build, figuresOf(this.#results))
    if (missed.length > 0) this.#exitCode = Math.max(this.#exitCode, 1)
    this.#steps.push({ ...empty, status: missed.length === 0 ? 'done' : 'failed', missed })
  }

  #report(): ModelBuildReport {
    const { name, source, output } = this.build
    const steps = this.#steps
    const is = (status: BuildStepReport['status']): boolean =>
      steps.some((step) => step.status === status && step.name !== 'budgets')
    const all = [...new Set(steps.flatMap(({ why }) => why ?? []))]
    const known = all.filter((reason) => reason !== 'new')
    const reasons = known.length === 0 ? all : known
    const status = this.#failed ? 'failed' : is('planned') ? 'planned' : is('done') ? 'built' : 'skipped'
    const isOver = steps.some(({ name: step, missed }) => step === 'budgets' && missed.length > 0)
    const idle = isOver ? 'a budget is missed' : is('cached') ? 'nothing has changed' : 'an input cannot be read'
    const why = reasons.length > 0 ? reasons.join('; ') : idle
    return {
      ...{ name, source, output, status, why, steps },
      exitCode: this.#exitCode,
      seconds: this.#seconds,
      artefacts: figuresOf(this.#results),
      notes: [...new Set(this.#results.flatMap(({ notes }) => notes))],
    }
  }
}
