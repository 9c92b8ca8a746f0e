import { readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { AlbertkitError } from '../../base/errors.js'
import { omitUndefined } from '../../base/omit-undefined.js'
import { openLocated } from '../../formats/core/open.js'
import { explained } from '../../formats/core/explain.js'
import type { OpenOptions, TensorSource } from '../../formats/core/source.js'
import type { AlbertModel } from '../../model/albert.js'
import { planModel, type ModelPlan } from '../../model/load/build.js'
import { parseConfig, type ModelConfig, type RawConfig } from '../../model/config.js'
import { compareFacts, completeConfig, graphFacts, type GraphFacts } from '../../model/load/graph-facts.js'
import { identify } from '../../model/names/identify.js'
import type { Identification } from '../../model/names/identification.js'
import { namePattern } from '../../model/names/pattern.js'
import { parametersOf } from '../../model/tensors/read.js'
import { denseHeads, takeHead } from '../../model/load/head.js'
import {
  ignoreVariables,
  leftoverOf,
  notesOnOutside,
  refuseForeignNames,
  refuseLeftover,
} from '../../model/load/leftover.js'
import { settleLabels } from '../../model/load/labels.js'
import { modelNotes } from '../../model/load/notes.js'
import { classifierKindOf, type Task } from '../../model/tasks.js'
import { completeFromWeights } from '../../model/load/infer-config.js'
import { completeFromNames } from '../../model/load/infer-pre-norm.js'
import { settleTied } from '../../model/load/tied.js'
import { selectVariables, type SelectOptions } from './select.js'
import { sideFilesOf } from './side-files.js'
import { chooseConfig, directoryWithConfig, hasConfig, readConfigFile } from './config-file.js'

export interface OpenModelOptions extends OpenOptions, SelectOptions {
  /** Configuration file to use instead of the one beside the weights. */
  readonly config?: string
  /** LayerNorm epsilon to use instead of the configuration's. */
  readonly layerNormEpsilon?: number
  /** What the model is for: says what a classifier is of, where weights and configuration do not. */
  readonly task?: Task
  /** Patterns of variables, and of files beside the weights, that are passed over although the model may need them. */
  readonly ignore?: readonly string[]
  /** A dense layer beside the encoder to take as the classifier: what the names of its kernel and bias begin with. */
  readonly head?: string
  /** Merge a LoRA adapter, within the weights or beside them, into the kernels that it changes. */
  readonly mergeLora?: boolean
}

/** A model file that was opened, identified and understood. */
export interface OpenedModel {
  readonly source: TensorSource
  /** Where vocabulary, labels and configuration lie. */
  readonly directory: string
  readonly identification: Identification
  readonly config: ModelConfig
  readonly rawConfig: RawConfig
  readonly model: AlbertModel
  /** What a person should know about file and model but that stops nothing. */
  readonly notes: readonly string[]
  /** Those of the notes that tell what the file or its folder has and the model leaves out. */
  readonly leftOut: readonly string[]
  close(): void
}

/** Like `OpenedModel`, for a look: variables may be missing. */
export interface ExaminedModel extends Omit<OpenedModel, 'model'> {
  readonly plan: ModelPlan
  readonly error: AlbertkitError | null
  /** Why the model must not be computed with: it has parts that would be left out. */
  readonly refusal: AlbertkitError | null
}

/**
 * Configuration and family. That the file is of no known family counts more than that it has no configuration; what is
 * missing is taken from the weights where they tell it.
 */
function readNames(
  source: TensorSource,
  directory: string,
  { config }: OpenModelOptions,
): { rawConfig: RawConfig; identification: Identification; choiceNotes: readonly string[] } {
  const { table } = identify(source)
  let given: RawConfig | null = null
  let choiceNotes: readonly string[] = []
  if (config !== undefined) given = readConfigFile(config)
  else if (hasConfig(directory) || table.configInferable !== true) {
    const { file, notes } = chooseConfig(directory, table)
    given = readConfigFile(file)
    choiceNotes = notes
  }
  const identification = identify(source, given)
  if (identification.table.configInferable !== true && given !== null)
    return { rawConfig: given, identification, choiceNotes }
  const rawConfig = completeFromWeights(source, identification, given)
  return { rawConfig, identification: identify(source, rawConfig), choiceNotes }
}

/** Names the field of an error in the words of the configuration file as well, where it has others. */
function inWordsOf({ words }: RawConfig, error: AlbertkitError): AlbertkitError {
  if (error.place.field === undefined) return error
  const word = words?.[error.place.field]
  if (word === undefined) return error
  const said = `the configuration calls ${error.place.field} ${word}`
  return error.with({ hint: error.hint === undefined ? said : `${error.hint}; ${said}` })
}

/** The configuration, completed by and compared with the graph that was saved with the weights. */
function readConfig(
  source: TensorSource,
  raw: RawConfig,
  { table: { family, architecture, maskPenalty, mlmHead }, mapped }: Identification,
  given: OpenModelOptions,
): { config: ModelConfig; notes: readonly string[] } {
  const { graph } = source
  const hasHead = mapped.has('mlm/output_bias')
  const options = { ...given, maskPenalty, mlmHead: hasHead ? mlmHead : undefined }
  if (graph === undefined) return { config: parseConfig(raw, family, architecture, options), notes: [] }
  const file = basename(graph.file)
  let facts: GraphFacts
  try {
    facts = graphFacts(graph.nodes())
  } catch (error) {
    if (!(error instanceof AlbertkitError)) throw error
    const note = `the graph in ${file} is left out: ${error.message}`
    return { config: parseConfig(raw, family, architecture, options), notes: [note] }
  }
  const completed = completeConfig(raw, family, facts)
  const config = parseConfig(completed.raw, family, architecture, options)
  return { config, notes: [...completed.notes, ...compareFacts(config, facts, file)] }
}

/** Configuration and tree; errors name fields as the configuration file does. */
function readModel(
  source: TensorSource,
  raw: RawConfig,
  found: Identification,
  options: OpenModelOptions,
): { config: ModelConfig; plan: ModelPlan; configNotes: readonly string[] } {
  try {
    const named = completeFromNames(raw, found)
    const { config: said, notes } = readConfig(source, named.raw, found, options)
    const { model, missing, error } = planModel(source, found, said, classifierKindOf(options.task))
    const { config, notes: labelNotes } = settleLabels(raw, model)
    const plan = { model: { ...model, config }, missing, error: error === null ? null : inWordsOf(raw, error) }
    return { config, plan, configNotes: [...named.notes, ...notes, ...labelNotes] }
  } catch (error) {
    throw error instanceof AlbertkitError ? inWordsOf(raw, error) : error
  }
}

/** What becomes of the variables of a file: which are used, which are passed over, and which forbid computing. */
function accountFor(
  source: TensorSource,
  identified: Identification,
  raw: RawConfig,
  { head, ignore = [] }: OpenModelOptions,
): { found: Identification; refusal: AlbertkitError | null; notes: readonly string[] } {
  const named = head === undefined ? { found: identified, notes: [] } : takeHead(source, identified, head)
  const settled = settleTied(source, ignoreVariables(named.found, ignore))
  const { found } = settled
  const refusal = refuseForeignNames(source, found, raw) ?? refuseLeftover(source, found, leftoverOf(source, found))
  return { found, refusal, notes: [...named.notes, ...settled.notes] }
}

/** Patterns to pass over that fit nothing. */
function idleNotes(source: TensorSource, directory: string, { ignore = [] }: OpenModelOptions): string[] {
  const names = [...source.tensors.keys(), ...readdirSync(directory)]
  return ignore
    .filter((pattern) => !names.some(namePattern(pattern)))
    .map((pattern) => `nothing in the file or beside it has a name like ${pattern}, which is to be ignored`)
}

/**
 * Opens and identifies a model without asking that it be complete.
 * @throws AlbertkitError `malformed`, `unsupported` or `usage`
 */
export async function examineModel(path: string, options: OpenModelOptions = {}): Promise<ExaminedModel> {
  const { source: stored, directories } = await openLocated(path, options)
  let refusal: AlbertkitError | null = null
  try {
    const directory = directoryWithConfig(directories)
    const side = sideFilesOf(directory, stored.files, omitUndefined({ ignore: options.ignore }))
    refusal = side.refusal
    const { source, notes: selected } = selectVariables(stored, options)
    const { rawConfig, identification, choiceNotes } = readNames(source, directory, options)
    const { found, notes, ...own } = accountFor(source, identification, rawConfig, options)
    refusal ??= own.refusal
    const { config, plan, configNotes } = readModel(source, rawConfig, found, options)
    const used = new Set([...parametersOf(plan.model)].map(({ variable }) => variable))
    const left = leftoverOf(source, found, used)
    refusal ??= plan.error === null ? refuseLeftover(source, found, left) : null
    const leftOut = [
      ...selected,
      ...notesOnOutside(source, left, denseHeads(source, found)),
      ...side.notes,
      ...idleNotes(source, directory, options),
    ]
    return {
      source,
      directory,
      identification: found,
      config,
      rawConfig,
      plan,
      notes: [
        ...source.notes,
        ...choiceNotes,
        ...configNotes,
        ...notes,
        ...leftOut,
        ...modelNotes(found, rawConfig, options),
      ],
      leftOut,
      error: plan.error,
      refusal,
      close: () => {
        source.close()
      },
    }
  } catch (error) {
    stored.close()
    // What the model has and albertkit has not is the reason for whatever else does not fit.
    throw refusal ?? explained(error)
  }
}

/**
 * Opens a model: anything that a container of `formats/containers.ts` recognises (docs/containers.md).
 * @throws AlbertkitError `malformed`, `unsupported` or `usage`
 */
export async function openModel(path: string, options: OpenModelOptions = {}): Promise<OpenedModel> {
  const { plan, error, refusal, ...rest } = await examineModel(path, options)
  const failure = refusal ?? error
  if (failure !== null) {
    rest.close()
    throw failure
  }
  return { ...rest, model: plan.model }
}
