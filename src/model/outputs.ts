import { usage } from '../base/errors.js'
import type { AlbertModel, ClassifierKind } from './albert.js'
import type { ForwardOutputs, HeadSelection } from './forward.js'

/** What an artefact is for; `auto` takes the head that the checkpoint has. */
export const TASKS = [
  'auto',
  'features',
  'pretraining',
  'mlm',
  'sop',
  'classify',
  'token-classification',
  'multiple-choice',
  'qa',
] as const
export type Task = (typeof TASKS)[number]

/** The tasks of a classifier, by what it is of. */
const CLASSIFIER_TASKS = { sequence: 'classify', token: 'token-classification', choice: 'multiple-choice' } as const

/** What a task takes the classifier to be of: its weights alone do not tell. */
export const classifierKindOf = (task: Task | undefined): ClassifierKind | undefined =>
  (Object.keys(CLASSIFIER_TASKS) as ClassifierKind[]).find((kind) => CLASSIFIER_TASKS[kind] === task)

export type HeadName = 'mlm' | 'sop' | 'classifier' | 'token-classifier' | 'multiple-choice' | 'qa'
export const CLASSIFIER_NAMES = {
  sequence: 'classifier',
  token: 'token-classifier',
  choice: 'multiple-choice',
} as const

/** Names of the heads that `model` has. */
export function headsOf({ mlm, sop, classifier, qa }: AlbertModel): HeadName[] {
  return [
    ...(mlm === null ? [] : ['mlm' as const]),
    ...(sop === null ? [] : ['sop' as const]),
    ...(classifier === null ? [] : [CLASSIFIER_NAMES[classifier.kind]]),
    ...(qa === null ? [] : ['qa' as const]),
  ]
}

/** How many hidden states the family counts: every inner layer, or in hf the last of each layer. */
export const hiddenStateCount = ({ config, layers }: AlbertModel): number =>
  config.family === 'hf' ? layers.length : layers.flat().length

/** Every head that the model has: what the reference compares with a golden. */
export const ALL_HEADS: HeadSelection = { mlm: true, sop: true, classifier: true, qa: true }

/** Whether the model has all that its classifier needs. */
const canClassify = ({ classifier, pooler }: AlbertModel): boolean =>
  classifier !== null && (classifier.kind === 'token' || (classifier.pooler ?? pooler) !== null)

/** Whether the model has all that its sentence-order head needs. */
const canOrder = ({ sop, pooler }: AlbertModel): boolean => sop !== null && (sop.pooler ?? pooler) !== null

/** Whether the model has what `task` needs. */
function can(model: AlbertModel, task: Exclude<Task, 'auto'>): boolean {
  const { mlm, sop, classifier, qa } = model
  switch (task) {
    case 'features':
      return true
    case 'pretraining':
      return mlm !== null || sop !== null
    case 'mlm':
      return mlm !== null
    case 'sop':
      return sop !== null
    case 'qa':
      return qa !== null
    case 'classify':
    case 'token-classification':
    case 'multiple-choice':
      return canClassify(model) && classifier?.kind === classifierKindOf(task)
  }
}

/**
 * Resolves `auto`: classifier before question answering before pretraining before features.
 * @throws AlbertkitError `usage` when the model lacks the head that `task` names.
 */
export function resolveTask(model: AlbertModel, task: Task): Exclude<Task, 'auto'> {
  if (task === 'auto') {
    if (model.classifier !== null && canClassify(model)) return CLASSIFIER_TASKS[model.classifier.kind]
    if (model.qa !== null) return 'qa'
    return model.mlm !== null || canOrder(model) ? 'pretraining' : 'features'
  }
  if (!can(model, task)) {
    const heads = headsOf(model)
    const unpooled =
      model.classifier !== null && !canClassify(model)
        ? '; the weights have no pooler, which classifying sequences needs'
        : ''
    throw usage(`the model has no head for the task ${task}`, {
      hint: `its heads: ${heads.length === 0 ? 'none, so that features are all that it gives' : heads.join(', ')}${unpooled}`,
    })
  }
  return task
}

/** The heads that a task runs. */
export const headsFor = (task: Exclude<Task, 'auto'>): HeadSelection => ({
  mlm: task === 'pretraining' || task === 'mlm',
  sop: task === 'pretraining' || task === 'sop',
  classifier: classifierKindOf(task) !== undefined,
  qa: task === 'qa',
})

/** Their names; a classifier's says what it is of. */
export function headNamesFor(task: Exclude<Task, 'auto'>): HeadName[] {
  const { mlm, sop, qa } = headsFor(task)
  const kind = classifierKindOf(task)
  return [
    ...(mlm ? ['mlm' as const] : []),
    ...(sop ? ['sop' as const] : []),
    ...(qa ? ['qa' as const] : []),
    ...(kind === undefined ? [] : [CLASSIFIER_NAMES[kind]]),
  ]
}

/** Names of the outputs that `selectOutputs` gives without `all`. */
export function outputNames(model: AlbertModel, heads: HeadSelection): string[] {
  const { pooler, mlm, qa } = model
  return [
    'last_hidden_state',
    ...(pooler === null ? [] : ['pooler_output']),
    ...(mlm !== null && heads.mlm ? ['prediction_logits'] : []),
    ...(canOrder(model) && heads.sop ? ['sop_logits'] : []),
    ...(heads.classifier && canClassify(model) ? ['logits'] : []),
    ...(qa !== null && heads.qa ? ['start_logits', 'end_logits'] : []),
  ]
}

/**
 * The outputs of an artefact in their order: `last_hidden_state`, `pooler_output`, the heads' logits; with `all` also
 * `embedding_output` and `hidden_state_<i>`. `embedding_hidden_mapping_in` is an inner value, never an output.
 */
export function selectOutputs<T>(outputs: ForwardOutputs<T>, all: boolean): [name: string, value: T][] {
  const named: [string, T | null][] = [
    ['last_hidden_state', outputs.last_hidden_state],
    ['pooler_output', outputs.pooler_output],
    ['prediction_logits', outputs.prediction_logits],
    ['sop_logits', outputs.sop_logits],
    ['logits', outputs.logits],
    ['start_logits', outputs.start_logits],
    ['end_logits', outputs.end_logits],
  ]
  if (all) named.push(['embedding_output', outputs.embedding_output])
  if (all) outputs.hidden_states.forEach((state, i) => named.push([`hidden_state_${i}`, state]))
  return named.filter((pair): pair is [string, T] => pair[1] !== null)
}
