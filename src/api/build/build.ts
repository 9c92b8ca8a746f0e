import { availableParallelism } from 'node:os'
import { dirname, resolve } from 'node:path'
import { onAbort, stopIfAborted, type Abortable, type OnProgress, type ProgressStep } from '../../base/abort.js'
import { usage } from '../../base/errors.js'
import { inParallel } from '../../base/in-parallel.js'
import { onInterrupt } from '../../base/interrupt.js'
import { nearest } from '../../base/nearest.js'
import { removeAbandoned } from '../../base/temporary-folder.js'
import { missingFolders, removeEmptyFolders } from '../../files/parents.js'
import { albertkitVersion } from '../../base/version.js'
import { ModelBuilder } from './build-model.js'
import { readConfigFile, type ConfigFile } from './config-file.js'
import { findConfigFile } from './find-config.js'
import { InputHashes } from './identity.js'
import { modelBuilds, type ModelBuild } from './model-build.js'
import { readRecord, writeRecord } from './record.js'
import type { BuildReport, ModelBuildReport } from './report.js'

/** What happens while models are built. */
export interface BuildListener {
  /** Called once, with the names of the models that are considered. */
  readonly onPlan?: (names: readonly string[]) => void
  readonly onStep?: (model: string, step: string) => void
  readonly onProgress?: (model: string, step: ProgressStep) => void
  readonly onModel?: (report: ModelBuildReport) => void
}

export interface BuildOptions extends Abortable, BuildListener {
  /** Names of the models to build; default: all. */
  readonly names?: readonly string[]
  /** Path of the configuration; default: the nearest `albertkit.config.*`. */
  readonly config?: string
  /** Folder of what earlier builds found out, instead of the one that the configuration names. */
  readonly cache?: string
  /** Build what has not changed too, and replace directories that no build wrote. */
  readonly force?: boolean
  /** Say what would be done, and do nothing. */
  readonly dryRun?: boolean
  /** Number of models that are built at once; default: half of the cores. */
  readonly jobs?: number
}

/** @throws AlbertkitError `usage` if there is no configuration */
async function configOf(path: string | undefined): Promise<ConfigFile> {
  const found = path ?? (await findConfigFile(process.cwd()))
  if (found !== null) return readConfigFile(found)
  throw usage('there is no albertkit.config.json, .yaml, .js or .ts here or above', {
    code: 'file-missing',
    file: process.cwd(),
    hint: 'docs/build.md shows one; `configFile` names another',
  })
}

/** @throws AlbertkitError `usage` if there is no model of a name, or no model */
function chosen(builds: readonly ModelBuild[], { names = [] }: BuildOptions, config: string): readonly ModelBuild[] {
  if (builds.length === 0)
    throw usage('the configuration has no models', { code: 'name-unknown', file: config, field: 'models' })
  const known = builds.map(({ name }) => name)
  const unknown = names.find((name) => !known.includes(name))
  if (unknown === undefined) return names.length === 0 ? builds : builds.filter(({ name }) => names.includes(name))
  const meant = nearest(unknown, known)
  throw usage(`the configuration has no model ${unknown}`, {
    code: 'name-unknown',
    file: config,
    hint: meant === null ? `it has ${known.join(', ')}` : `did you mean ${meant}?`,
  })
}

/** Rejects once `signal` is aborted. */
const abortion = (signal: AbortSignal | undefined): Promise<never> =>
  new Promise((_, reject) => {
    onAbort(signal, reject)
  })

/** Time that killed processes get to end before their unfinished files are removed, in milliseconds. */
const ENDING_MS = 200

/**
 * Builds the models of a configuration: converts, verifies, evaluates and measures what has changed since the last
 * build. A model that fails does not keep the others from being built.
 * @throws AlbertkitError `usage`, `malformed` if the configuration cannot be used
 */
export async function buildModels(options: BuildOptions = {}): Promise<BuildReport> {
  const { force = false, dryRun = false, jobs = Math.max(1, availableParallelism() >> 1), signal } = options
  const config = await configOf(options.config)
  const known = modelBuilds(config)
  const builds = chosen(known, options, config.path)
  const cache = options.cache ?? resolve(config.folder, config.config.cache ?? '.albertkit')
  const except = new Set([config.path, resolve(cache), ...known.map(({ output }) => resolve(output))])
  options.onPlan?.(builds.map(({ name }) => name))
  const parents = builds.map(({ output }) => dirname(resolve(output)))
  const missing = parents.map(missingFolders)
  const forget = onInterrupt(async () => {
    await new Promise((done) => setTimeout(done, ENDING_MS))
    parents.forEach(removeAbandoned)
    missing.forEach(removeEmptyFolders)
  })
  const builders = builds.map((build) => {
    const { name } = build
    const record = readRecord(cache, name)
    const hashes = new InputHashes(record.hashes, except, config.folder)
    const onProgress: OnProgress = (step) => options.onProgress?.(name, step)
    const onStep = (step: string): void => options.onStep?.(name, step)
    return new ModelBuilder(build, { cache, hashes, record, force, dryRun, onStep, onProgress })
  })
  const reports = new Map<string, ModelBuildReport>()
  const end = async (builder: ModelBuilder): Promise<void> => {
    stopIfAborted(signal)
    const report = await builder.measure()
    const { name } = builder.build
    const { record } = builder.options
    if (!dryRun && Object.keys(record.steps).length > 0) writeRecord(cache, name, record)
    reports.set(name, report)
    options.onModel?.(report)
  }
  const all = async (): Promise<void> => {
    await inParallel(builders, jobs, async (builder) => {
      stopIfAborted(signal)
      await builder.make()
      if (!builder.needsMachine) await end(builder)
    })
    // One after the other, when nothing else runs: times of a busy machine say nothing.
    for (const builder of builders) if (builder.needsMachine) await end(builder)
  }
  try {
    await Promise.race([all(), abortion(signal)])
  } finally {
    for (const builder of builders) builder.stop()
    forget()
  }
  const models = builds.map(({ name }) => reports.get(name)!)
  const exitCode = Math.max(...models.map((model) => model.exitCode))
  const albertkit = albertkitVersion()
  return { ok: exitCode === 0, config: config.path, albertkit, dryRun, exitCode, models }
}
