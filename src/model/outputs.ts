import { usage } from '../errors.js'
import type { AlbertModel } from './albert.js'
import type { ForwardOutputs, HeadSelection } from './forward.js'

/** What an artefact is for; `auto` takes the head that the checkpoint has. */
export const TASKS = ['auto', 'features', 'pretraining', 'mlm', 'sop', 'classify'] as const
export type Task = (typeof TASKS)[number]

/** Names of the heads that `model` has. */
export function headsOf(model: AlbertModel): ('mlm' | 'sop' | 'classifier')[] {
  return (['mlm', 'sop', 'classifier'] as const).filter((head) => model[head] !== null)
}

/** How many hidden states the family counts: every inner layer, or in hf the last of each layer. */
export const hiddenStateCount = ({ config, layers }: AlbertModel): number =>
  config.family === 'hf' ? layers.length : layers.flat().length

/** Every head that the model has: what the reference compares with a golden. */
export const ALL_HEADS: HeadSelection = { mlm: true, sop: true, classifier: true }

/**
 * Resolves `auto`: classifier before pretraining before features.
 * @throws AlbertkitError `usage` when the model lacks the head that `task` names.
 */
export function resolveTask(model: AlbertModel, task: Task): Exclude<Task, 'auto'> {
  if (task === 'auto') {
    if (model.classifier !== null && model.pooler !== null) return 'classify'
    return model.mlm !== null || (model.sop !== null && model.pooler !== null) ? 'pretraining' : 'features'
  }
  const needs = {
    features: true,
    pretraining: model.mlm ?? model.sop,
    mlm: model.mlm,
    sop: model.sop,
    classify: model.classifier,
  }
  if (needs[task] === null || needs[task] === false) {
    const heads = headsOf(model)
    throw usage(`the model has no head for --task ${task}`, {
      hint: `its heads: ${heads.length === 0 ? 'none; use --task features' : heads.join(', ')}`,
    })
  }
  return task
}

/** The heads that a task runs. */
export const headsFor = (task: Exclude<Task, 'auto'>): HeadSelection => ({
  mlm: task === 'pretraining' || task === 'mlm',
  sop: task === 'pretraining' || task === 'sop',
  classifier: task === 'classify',
})

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
  ]
  if (all) named.push(['embedding_output', outputs.embedding_output])
  if (all) outputs.hidden_states.forEach((state, i) => named.push([`hidden_state_${i}`, state]))
  return named.filter((pair): pair is [string, T] => pair[1] !== null)
}
