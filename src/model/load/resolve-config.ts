import { basename } from '../../formats/core/paths.js'
import { AlbertkitError } from '../../base/errors.js'
import type { TensorSource } from '../../formats/core/source.js'
import { parseConfig, type ModelConfig, type RawConfig } from '../config.js'
import type { Identification } from '../names/identification.js'
import { identify } from '../names/identify.js'
import type { NameTable } from '../names/row.js'
import { parametersOf } from '../tensors/read.js'
import { areSpanTags } from '../../base/span-tag.js'
import type { AlbertModel } from '../albert.js'
import { classifierKindOf, type ClassifierKind, type Task } from '../tasks.js'
import { refuseModelType } from '../foreign-models.js'
import { completeBiases } from './absent-bias.js'
import { planModel, type ModelPlan } from './build.js'
import { skipCompanions } from './companions.js'
import { cutToLength } from './fixed-length.js'
import { compareFacts, completeConfig, graphFacts, type GraphFacts } from './graph-facts.js'
import { completeFromWeights } from './infer-config.js'
import { completeFromNames } from './infer-pre-norm.js'
import { denseHeads, takeHead } from './head.js'
import { settleLabels } from './labels.js'
import { ignoreVariables, leftoverOf, notesOnOutside, refuseForeignNames, refuseLeftover } from './leftover.js'
import { modelNotes } from './notes.js'
import { settleTied } from './tied.js'

/**
 * From tensors to a model: which family, which configuration, what completes it, and what the user should know. The
 * order is a policy: the weights decide before the configuration, the configuration before the graph.
 */

export interface ResolveOptions {
  /** LayerNorm epsilon to use instead of that of the configuration. */
  readonly layerNormEpsilon?: number
  /** Task of the model: decides the kind of its classifier if weights and configuration do not. */
  readonly task?: Task
  /** Patterns of variables, and of files next to the weights, to ignore although the model may need them. */
  readonly ignore?: readonly string[]
  /** Reads the class names in a file next to the weights; tags of spans (BIO) mean a token classifier. */
  readonly classNames?: () => readonly string[] | null
  /** Dense layer outside the encoder to take as the classifier: the prefix of the names of its kernel and bias. */
  readonly head?: string
}

/** Weights that a configuration is chosen for. */
export type ConfigOwner = Pick<NameTable, 'family' | 'architecture' | 'configInferable'>

/** A configuration that was found; null if there is none, which `configInferable` tables allow. */
export interface ChosenConfig {
  readonly raw: RawConfig | null
  /** Remarks for the user about the choice. */
  readonly notes: readonly string[]
}

export interface ResolvedModel {
  /** The source, with zeros for a bias that a head lacks. */
  readonly source: TensorSource
  readonly identification: Identification
  readonly rawConfig: RawConfig
  readonly config: ModelConfig
  readonly plan: ModelPlan
  /** Reason not to compute with the model: it has parts that would be left out. */
  readonly refusal: AlbertkitError | null
  readonly notes: readonly string[]
  /** Notes on variables outside the encoder that the model does not use. */
  readonly leftOut: readonly string[]
}

/** The choice of a configuration. Names of another architecture are reported before an absent configuration. */
function chooseOrRefuse(source: TensorSource, choose: (owner: ConfigOwner) => ChosenConfig): ChosenConfig {
  const found = identify(source)
  try {
    return choose(found.table)
  } catch (error) {
    const isMissing = error instanceof AlbertkitError && error.code === 'config-missing'
    throw (isMissing ? refuseForeignNames(source, found, null) : null) ?? error
  }
}

/**
 * Family and configuration. An unknown family is reported before an absent configuration; fields that the configuration
 * lacks are taken from the weights if the table allows it.
 */
function chooseNames(
  source: TensorSource,
  choose: (owner: ConfigOwner) => ChosenConfig,
): { rawConfig: RawConfig; identification: Identification; choiceNotes: readonly string[] } {
  const { raw: given, notes: choiceNotes } = chooseOrRefuse(source, choose)
  const identification = identify(source, given)
  if (identification.table.configInferable !== true && given !== null)
    return { rawConfig: given, identification, choiceNotes }
  const rawConfig = completeFromWeights(source, identification, given)
  return { rawConfig, identification: identify(source, rawConfig), choiceNotes }
}

/** Names the field of an error in the words of the configuration file as well, if it has others. */
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
  written: RawConfig,
  { table, mapped }: Identification,
  given: ResolveOptions,
): { config: ModelConfig; kind?: ClassifierKind | undefined; notes: readonly string[] } {
  const { graph } = source
  const { family, architecture, maskPenalty, mlmHead } = table
  // Code that reads a configuration as transformers does need not have written `model_type` into it.
  const fields = { model_type: architecture, ...written.fields }
  const own = table.layerNormEpsilon === undefined ? fields : { ...fields, layer_norm_eps: table.layerNormEpsilon }
  const raw = table.transformersFields === true ? { ...written, fields: own } : written
  const hasHead = mapped.has('mlm/output_bias')
  const options = { ...given, maskPenalty, mlmHead: hasHead ? mlmHead : undefined }
  if (graph === undefined) return { config: parseConfig(raw, family, architecture, options), notes: [] }
  const file = basename(graph.file)
  let facts: GraphFacts
  try {
    facts = graphFacts(graph.nodes(), mapped.get('classifier/output_weights')?.variable)
  } catch (error) {
    if (!(error instanceof AlbertkitError)) throw error
    const note = `the graph in ${file} is left out: ${error.message}`
    return { config: parseConfig(raw, family, architecture, options), notes: [note] }
  }
  const completed = completeConfig(raw, family, facts)
  const config = parseConfig(completed.raw, family, architecture, options)
  const notes = [...completed.notes, ...compareFacts(config, facts, file)]
  return { config, kind: facts.classifier_kind, notes }
}

/**
 * The configuration with the problem of a classifier of one class: Google's run_classifier has such a head for
 * regression (STS-B) only; transformers reads it with a sigmoid.
 */
function settleProblem(config: ModelConfig, { classifier }: AlbertModel, table: NameTable): ModelConfig {
  const isOne = classifier?.kind === 'sequence' && classifier.weight.shape[0] === 1
  if (!isOne || config.problem_type !== undefined) return config
  const isOfTransformers = table.family === 'hf' || table.transformersFields === true
  return { ...config, problem_type: isOfTransformers ? 'multi_label_classification' : 'regression' }
}

/** Note on a classifier that is read as one of tokens because of its classes' names. */
const TAG_NOTE =
  'the classes are tags of spans (B-, I-), so the classifier is read as one of tokens: token-classification; ' +
  '`task: classify` reads it as one of texts'

/** Kind of a classifier that nothing but the names of its classes tells; they are read only then. */
function kindByNames(
  { classifier_kind, id2label }: ModelConfig,
  { mapped }: Identification,
  { classNames }: ResolveOptions,
): ClassifierKind | undefined {
  if (classifier_kind !== undefined || !mapped.has('classifier/output_weights')) return undefined
  return areSpanTags(classNames?.() ?? Object.values(id2label ?? {})) ? 'token' : undefined
}

/** Configuration and tree; errors name fields as the configuration file does. */
function readModel(
  source: TensorSource,
  raw: RawConfig,
  found: Identification,
  options: ResolveOptions,
): { config: ModelConfig; plan: ModelPlan; configNotes: readonly string[] } {
  try {
    const cut = cutToLength(source, raw)
    const named = completeFromNames(cut.raw, found)
    const { config: said, kind: shown, notes } = readConfig(source, named.raw, found, options)
    const asked = classifierKindOf(options.task)
    const byNames = shown === undefined ? kindByNames(said, found, options) : undefined
    const { model, missing, error } = planModel(source, found, said, { asked, found: shown ?? byNames })
    const { config: labelled, notes: labelNotes } = settleLabels(raw, model)
    const config = settleProblem(labelled, model, found.table)
    const kindNotes = asked === undefined && byNames !== undefined ? [TAG_NOTE] : []
    const plan = { model: { ...model, config }, missing, error: error === null ? null : inWordsOf(raw, error) }
    return { config, plan, configNotes: [...cut.notes, ...named.notes, ...notes, ...labelNotes, ...kindNotes] }
  } catch (error) {
    throw error instanceof AlbertkitError ? inWordsOf(raw, error) : error
  }
}

interface Accounted {
  readonly source: TensorSource
  readonly found: Identification
  readonly refusal: AlbertkitError | null
  readonly notes: readonly string[]
}

/** Sorts the variables of a file: used, left out, or a reason not to compute with the model. */
function accountFor(
  source: TensorSource,
  identified: Identification,
  raw: RawConfig,
  { head, ignore = [] }: ResolveOptions,
): Accounted {
  const named = head === undefined ? { found: identified, notes: [] } : takeHead(source, identified, head)
  const beside = skipCompanions(source, named.found)
  const settled = settleTied(source, ignoreVariables(beside.found, ignore))
  const completed = completeBiases(source, settled.found)
  const { found } = completed
  const { architecture } = found.table
  const refusal =
    refuseModelType(raw.fields.model_type, raw.file, architecture) ??
    refuseForeignNames(source, found, raw) ??
    refuseLeftover(source, found, leftoverOf(source, found))
  return { ...completed, refusal, notes: [...named.notes, ...beside.notes, ...settled.notes, ...completed.notes] }
}

/**
 * Resolves the family, the configuration and the typed tree of the model in `stored`.
 * @param choose gives the configuration for weights of a family; called once
 * @throws AlbertkitError `malformed`, `unsupported` or `usage`; missing variables are in the plan, and parts that
 *   forbid computing are the `refusal`, which is thrown if nothing else can be resolved
 */
export function resolveModel(
  stored: TensorSource,
  choose: (owner: ConfigOwner) => ChosenConfig,
  options: ResolveOptions = {},
): ResolvedModel {
  const { rawConfig, identification: named, choiceNotes } = chooseNames(stored, choose)
  const { source, found: identification, refusal, notes } = accountFor(stored, named, rawConfig, options)
  try {
    const { config, plan, configNotes } = readModel(source, rawConfig, identification, options)
    const used = new Set([...parametersOf(plan.model)].map(({ variable }) => variable))
    const left = leftoverOf(source, identification, used)
    return {
      source,
      identification,
      rawConfig,
      config,
      plan,
      refusal: refusal ?? (plan.error === null ? refuseLeftover(source, identification, left) : null),
      notes: [...choiceNotes, ...configNotes, ...notes, ...modelNotes(identification, rawConfig, options)],
      leftOut: notesOnOutside(left, denseHeads(source, identification)),
    }
  } catch (error) {
    throw refusal ?? error
  }
}
