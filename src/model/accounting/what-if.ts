import { usage } from '../../base/errors.js'
import type { ModelConfig } from '../config.js'
import { nativeSharing, type Sharing, type SlotOptions } from './slots.js'

/** Other sizes for a model: every combination of the lists is one model. */
export interface WhatIf {
  readonly embeddingSizes?: readonly number[]
  readonly hiddenSizes?: readonly number[]
  readonly layers?: readonly number[]
  readonly vocabularies?: readonly number[]
  readonly groups?: readonly number[]
  readonly sharings?: readonly Sharing[]
}

/** A model that exists only as its sizes. */
export interface Imagined {
  /** Differences from the model it starts from: `E 64, not shared`. */
  readonly label: string
  readonly config: ModelConfig
  readonly options: SlotOptions
  readonly notes: readonly string[]
}

/** More columns than this are no table any more. */
const MAX_COMBINATIONS = 48

const SHARING_WORDS: Readonly<Record<Sharing, string>> = {
  groups: 'shared by groups',
  all: 'all shared',
  attention: 'attention shared',
  ffn: 'FFN shared',
  none: 'not shared',
}

/** Describes the sharing of layers. */
export function sharingWords(sharing: Sharing, { num_hidden_groups: G }: ModelConfig): string {
  return sharing === 'groups' ? (G === 1 ? SHARING_WORDS.all : `${G} groups`) : SHARING_WORDS[sharing]
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))

/** `config` with another hidden size: heads keep their width, and the FFN its ratio, as in the paper's table of sizes. */
function withHidden(config: ModelConfig, hidden: number): ModelConfig {
  const width = config.hidden_size / config.num_attention_heads
  const heads = hidden % width === 0 ? hidden / width : gcd(hidden, config.num_attention_heads)
  return {
    ...config,
    hidden_size: hidden,
    num_attention_heads: heads,
    intermediate_size: Math.round((config.intermediate_size / config.hidden_size) * hidden),
    embedding_size: config.architecture === 'bert' ? hidden : config.embedding_size,
  }
}

/** `config` with another embedding size; BERT's form cannot factorise, so it becomes Google's with nothing shared. */
function withEmbedding(config: ModelConfig, options: SlotOptions, size: number): [ModelConfig, SlotOptions, string[]] {
  if (config.architecture === 'albert' || size === config.hidden_size)
    return [{ ...config, embedding_size: size }, options, []]
  const sharing = options.sharing ?? 'none'
  const factorised: ModelConfig = { ...config, family: 'google', architecture: 'albert', embedding_size: size }
  return [factorised, { ...options, sharing }, ['BERT does not factorise: its other parts, with ALBERT’s embeddings']]
}

const choices = <T>(list: readonly T[] | undefined): readonly (T | null)[] =>
  list === undefined || list.length === 0 ? [null] : list

function imagine(
  config: ModelConfig,
  options: SlotOptions,
  [V, L, H, G, E, sharing]: readonly [
    number | null,
    number | null,
    number | null,
    number | null,
    number | null,
    Sharing | null,
  ],
): Imagined {
  const label: string[] = []
  let changed = config
  if (V !== null) label.push(`V ${(changed = { ...changed, vocab_size: V }).vocab_size}`)
  if (L !== null) label.push(`L ${(changed = { ...changed, num_hidden_layers: L }).num_hidden_layers}`)
  if (H !== null) label.push(`H ${(changed = withHidden(changed, H)).hidden_size}`)
  let chosen = options
  let notes: string[] = []
  if (E !== null) {
    ;[changed, chosen, notes] = withEmbedding(changed, chosen, E)
    label.push(`E ${E}`)
  }
  if (G !== null) {
    if (G > changed.num_hidden_layers)
      throw usage(`${G} groups are more than ${changed.num_hidden_layers} layers`, {
        code: 'option-conflict',
        field: 'num_hidden_groups',
      })
    changed = { ...changed, num_hidden_groups: G }
    chosen = { ...chosen, sharing: 'groups' }
    label.push(`${G} group${G === 1 ? '' : 's'}`)
  }
  if (sharing !== null) {
    chosen = { ...chosen, sharing }
    label.push(sharingWords(sharing, changed))
  }
  return { label: label.join(', '), config: changed, options: chosen, notes }
}

/**
 * Every combination of `whatIf`'s sizes, starting from `config`.
 * @throws AlbertkitError `usage` if they are more than a table can show, or groups more than layers
 */
export function whatIfs(config: ModelConfig, options: SlotOptions, whatIf: WhatIf): Imagined[] {
  const found: Imagined[] = []
  for (const V of choices(whatIf.vocabularies))
    for (const L of choices(whatIf.layers))
      for (const H of choices(whatIf.hiddenSizes))
        for (const sharing of choices(whatIf.sharings))
          for (const G of choices(whatIf.groups))
            for (const E of choices(whatIf.embeddingSizes)) {
              if (V === null && L === null && H === null && sharing === null && G === null && E === null) continue
              found.push(imagine(config, options, [V, L, H, G, E, sharing]))
              if (found.length > MAX_COMBINATIONS)
                throw usage(`the sizes asked for are more than ${MAX_COMBINATIONS} combinations`, {
                  code: 'limit-exceeded',
                  hint: 'ask for fewer at a time',
                })
            }
  return found
}

/** Describes the sharing of the model that `config` and `options` give. */
export const sharingOf = (config: ModelConfig, options: SlotOptions): string =>
  sharingWords(options.sharing ?? nativeSharing(config), config)
