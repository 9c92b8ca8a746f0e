import type { TensorSource } from '../../formats/core/source.js'
import type { Identification } from '../names/identification.js'
import { graphFacts, type GraphFacts } from './graph-facts.js'
import { highestIndex, sizesOf } from './infer-config.js'
import { hasPreNormNames } from './infer-pre-norm.js'

/** Draft of a configuration for weights without one, inferred from names, shapes and a graph saved with them. */
export interface ConfigDraft {
  /** Name that the code of the weights gives its configuration. */
  readonly file: string
  /** Fields by the names of that code; null if the value cannot be inferred. */
  readonly fields: Readonly<Record<string, string | number | null>>
  /** Fields with null: a user must fill them in. */
  readonly unknown: readonly string[]
  /** Fields whose value is the usual one, which no weight shows. */
  readonly assumed: readonly string[]
}

function factsOf({ graph }: TensorSource): GraphFacts {
  try {
    return graph === undefined ? {} : graphFacts(graph.nodes())
  } catch {
    // A damaged graph is ignored here; it is reported when the model is opened.
    return {}
  }
}

/** Groups, inner layers and layers; layers is null for one shared layer, whose number of uses is unknown. */
function depthOf(found: Identification): { readonly layers: number | null; readonly groups: number; inner: number } {
  const [l, g, j] = (['l', 'g', 'j'] as const).map((key) => highestIndex(found, key))
  return { layers: l! > 0 ? l! : null, groups: Math.max(1, g!), inner: Math.max(1, j!) }
}

/** Begins a configuration for weights of a known family. */
export function draftConfig(source: TensorSource, found: Identification): ConfigDraft {
  const { family, architecture, transformersFields } = found.table
  const isOfTransformers = family === 'hf' || transformersFields === true
  const sizes = sizesOf(source, found)
  const facts = factsOf(source)
  const { layers, groups, inner } = depthOf(found)
  const isFactorised = architecture === 'albert'
  const fields: Record<string, string | number | null> = {
    ...(isOfTransformers ? { model_type: architecture } : {}),
    vocab_size: sizes.vocab_size ?? null,
    ...(isFactorised ? { embedding_size: sizes.embedding_size ?? null } : {}),
    hidden_size: sizes.hidden_size ?? null,
    num_hidden_layers: facts.num_hidden_layers ?? layers,
    ...(isFactorised && family !== 'zh' ? { num_hidden_groups: groups, inner_group_num: inner } : {}),
    num_attention_heads: facts.num_attention_heads ?? sizes.num_attention_heads ?? null,
    intermediate_size: sizes.intermediate_size ?? null,
    max_position_embeddings: sizes.max_position_embeddings ?? null,
    type_vocab_size: sizes.type_vocab_size ?? null,
    hidden_act: isOfTransformers && isFactorised ? 'gelu_new' : 'gelu',
    ...(isOfTransformers ? { layer_norm_eps: facts.layer_norm_eps ?? 1e-12 } : {}),
    ...(family === 'zh'
      ? { ln_type: facts.norm_position === 'pre' || hasPreNormNames(found) ? 'preln' : 'postln' }
      : {}),
  }
  const isShown: Readonly<Record<string, boolean>> = {
    layer_norm_eps: facts.layer_norm_eps !== undefined,
    ln_type: facts.norm_position !== undefined || hasPreNormNames(found),
  }
  return {
    file: isOfTransformers ? 'config.json' : isFactorised ? 'albert_config.json' : 'bert_config.json',
    fields,
    unknown: Object.keys(fields).filter((field) => fields[field] === null),
    assumed: ['hidden_act', 'layer_norm_eps', 'ln_type'].filter((field) => field in fields && isShown[field] !== true),
  }
}
