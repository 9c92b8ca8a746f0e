import { isAbsolute, join, relative, resolve } from 'node:path'
import { malformed } from '../../base/errors.js'
import { omitUndefined } from '../../base/omit-undefined.js'
import type { TargetChoice } from '../../base/target-choice.js'
import { isHubPath, isUrl } from '../../hub/reference.js'
import type { Task } from '../../model/tasks.js'
import type { ModelEntry } from '../../schemas/build-config.js'
import type { BenchOptions } from '../bench/bench.js'
import type { ConvertOptions } from '../convert/options.js'
import type { TextJob } from '../inference/job.js'
import type { ConfigFile } from './config-file.js'

type Budgets = NonNullable<ModelEntry['budgets']>

/** One model of a configuration: paths are resolved, defaults filled in, options in the words of the library. */
export interface ModelBuild {
  readonly name: string
  readonly source: string
  readonly output: string
  readonly convert: Omit<ConvertOptions, 'onProgress' | 'signal' | 'files' | 'force'>
  readonly goldens: readonly string[]
  readonly evaluate: Omit<TextJob, 'model' | 'format'> | null
  readonly bench: Pick<BenchOptions, 'runners' | 'batches' | 'lengths' | 'threads' | 'runs'> | null
  readonly budgets: Budgets
  /** The fields as they are written, with those of the defaults. */
  readonly entry: ModelEntry
}

/** The path as the user would type it: relative if it is below the current directory. */
function typed(path: string): string {
  const short = relative(process.cwd(), path)
  return short !== '' && !short.startsWith('..') && !isAbsolute(short) ? short : path
}

/** @throws AlbertkitError `malformed` naming the field */
const refuse = (file: string, field: string, message: string): never => {
  const hint = 'docs/build.md lists the fields'
  throw malformed(`${field} ${message}`, { code: 'config-invalid', file, field, hint })
}

function convertOptions(entry: ModelEntry, at: (path: string) => string): ModelBuild['convert'] {
  const { targets = [], precisions, config, vocabulary, gate, outputs, as, task, budgets } = entry
  const { layerNormEpsilon, scope, head, ema, mergeLora, ignore, checksum, opset, externalData, halfCompute } = entry
  const { weightsOnly, keepEmbeddings, sequence, rows, inline, verify, atol } = entry
  const path = (file: string | undefined): string | undefined => (file === undefined ? undefined : at(file))
  return omitUndefined({
    targets: targets as TargetChoice[],
    dtypes: precisions,
    config: path(config),
    vocabulary: path(vocabulary),
    gateInputs: path(gate),
    allOutputs: outputs === 'all' ? true : undefined,
    targetArchitecture: as,
    task: task as Task | undefined,
    minAgreement: budgets?.agreement,
    ...{ layerNormEpsilon, scope, head, ema, mergeLora, ignore, checksum, opset, externalData, halfCompute },
    ...{ weightsOnly, keepEmbeddings, sequence, rows, inline, verify, atol },
  })
}

/** What the fields of a model leave open or contradict. */
function checkEntry(file: string, name: string, entry: ModelEntry): void {
  const field = `models.${name}`
  const { targets = [], budgets = {}, evaluate } = entry
  if (targets.length === 0) refuse(file, `${field}.targets`, 'is missing: name at least one format')
  for (const score of ['accuracy', 'f1'] as const)
    if (budgets[score] !== undefined && evaluate === undefined)
      refuse(file, `${field}.budgets.${score}`, 'needs labelled lines: give `evaluate` with an input')
}

/** The models of a configuration, in its order. @throws AlbertkitError `malformed` naming the field */
export function modelBuilds({ path: file, folder, config }: ConfigFile): ModelBuild[] {
  const at = (path: string): string => typed(resolve(folder, path))
  const builds = Object.entries(config.models ?? {}).map(([name, own]) => {
    const budgets = { ...config.defaults?.budgets, ...own.budgets }
    const entry: ModelEntry = { ...config.defaults, ...own, budgets }
    checkEntry(file, name, entry)
    const { source, output = join('out', name), goldens = [], evaluate, bench } = entry
    const isNamed = isHubPath(source) || isUrl(source)
    return {
      name,
      source: isNamed ? source : at(source),
      output: at(output),
      convert: convertOptions(entry, at),
      goldens: goldens.map(at),
      evaluate:
        evaluate === undefined
          ? null
          : omitUndefined({
              ...evaluate,
              input: at(evaluate.input),
              labels: evaluate.labels === undefined ? undefined : at(evaluate.labels),
            }),
      bench: bench ?? (budgets.latency === undefined ? null : {}),
      budgets,
      entry,
    } as ModelBuild
  })
  const outputs = new Map<string, string>()
  for (const { name, output } of builds) {
    const other = outputs.get(resolve(output))
    if (other !== undefined) refuse(file, `models.${name}.output`, `is that of ${other}: give each model its own`)
    outputs.set(resolve(output), name)
  }
  return builds
}
