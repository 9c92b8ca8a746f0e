import type { AlbertModel, Parameter } from '../model/albert.js'
import type { Family } from '../model/config.js'
import { parametersOf } from '../model/tensors/read.js'
import type { OptimizerName } from './optimizer.js'

/** Variables that an optimizer treats differently. */
export interface VariableRules {
  readonly decays: (parameter: Parameter) => boolean
  readonly adapts: (parameter: Parameter) => boolean
  /**
   * True if the global norm counts the gradient of each looked-up row by itself: TensorFlow does so for
   * `tf.gather`, whose gradient is a list of rows, while a product with one-hot rows gives the whole table.
   */
  readonly isLookup: (parameter: Parameter) => boolean
}

/** Names without weight decay (optimization.py `exclude_from_weight_decay`). */
export const NO_DECAY: readonly string[] = ['LayerNorm', 'layer_norm', 'bias']

/** Slots of the tables that the TensorFlow code of a family looks rows up in; the others it multiplies. */
const LOOKUPS: Readonly<Record<Family, readonly string[]>> = {
  google: ['embeddings/word_embeddings', 'embeddings/token_type_embeddings'],
  google_fast: ['embeddings/word_embeddings'],
  zh: ['embeddings/word_embeddings'],
  bert: ['embeddings/word_embeddings'],
  // PyTorch's clip_grad_norm_ takes whole tables.
  hf: [],
}

/** Rules of the code that `family` comes from. */
export function familyRules(family: Family, noDecay: readonly string[] = NO_DECAY): VariableRules {
  const patterns = noDecay.map((pattern) => new RegExp(pattern))
  const decays = ({ variable, slot }: Parameter): boolean =>
    !patterns.some((pattern) => pattern.test(variable) || pattern.test(slot))
  return {
    decays,
    // brightmart's LAMB has a trust ratio for every variable, Google's leaves out what has no weight decay.
    adapts: family === 'zh' ? () => true : decays,
    isLookup: ({ slot }) => LOOKUPS[family].includes(slot),
  }
}

/** Names of the slots that the original code gives an optimizer's state: `<variable>/adam_m`. */
export function slotSuffixes(optimizer: OptimizerName, family: Family): readonly [m: string, v: string] {
  return optimizer === 'lamb' && family === 'zh' ? ['lamb_m', 'lamb_v'] : ['adam_m', 'adam_v']
}

/**
 * Factors of the learning rate by layer: `decay` to the power of the distance from the head. A parameter that several
 * layers share counts as the last one of them.
 */
export function layerwiseFactors(model: AlbertModel, decay: number): Map<Parameter, number> {
  const depth = model.layers.length + 1
  const factors = new Map<Parameter, number>()
  const set = (part: unknown, distance: number): void => {
    for (const parameter of parametersOf(part)) factors.set(parameter, decay ** distance)
  }
  set(model.embeddings, depth)
  model.layers.forEach((layer, l) => {
    set(layer, depth - 1 - l)
  })
  set([model.pooler, model.classifier, model.qa], 0)
  return factors
}

/** Parts of a model that can be kept as they are. */
export const FREEZABLE = ['embeddings', 'encoder'] as const
export type Freezable = (typeof FREEZABLE)[number]

/** Parameters of a frozen part: the embeddings, or all that comes before the head and its pooler. */
export function frozenParameters(model: AlbertModel, frozen: Freezable | undefined): ReadonlySet<Parameter> {
  if (frozen === undefined) return new Set()
  return new Set(parametersOf(frozen === 'embeddings' ? model.embeddings : [model.embeddings, model.layers]))
}
