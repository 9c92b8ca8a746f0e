import { nearest } from '../../base/nearest.js'
import type { Family, ModelConfig } from '../config.js'

/**
 * Named sizes, as published. Sources: albert_zh `albert_config/`, google-research/albert `config/`, its TF-Hub modules
 * and transformers' table of pretrained models (v1 and v2 differ in training and dropout, not in size), and
 * google-research/bert. albert_zh published tiny to xlarge; the sizes that it names and never trained are here as well.
 */
export interface Preset {
  readonly name: string
  readonly family: Exclude<Family, 'hf'>
  /** Description of the preset, one line. */
  readonly title: string
  readonly config: ModelConfig
}

interface Size {
  readonly layers: number
  readonly hidden: number
  readonly heads: number
  readonly intermediate: number
}

/* prettier-ignore */
const ALBERT_SIZES: Readonly<Record<string, Size>> = {
  tiny:    { layers: 4,  hidden: 312,  heads: 12, intermediate: 1248 },
  small:   { layers: 6,  hidden: 384,  heads: 12, intermediate: 1536 },
  base:    { layers: 12, hidden: 768,  heads: 12, intermediate: 3072 },
  large:   { layers: 24, hidden: 1024, heads: 16, intermediate: 4096 },
  xlarge:  { layers: 24, hidden: 2048, heads: 16, intermediate: 8192 },
  xxlarge: { layers: 12, hidden: 4096, heads: 64, intermediate: 16384 },
}
/* prettier-ignore */
const BERT_SIZES: Readonly<Record<string, Size>> = {
  base:  { layers: 12, hidden: 768,  heads: 12, intermediate: 3072 },
  large: { layers: 24, hidden: 1024, heads: 16, intermediate: 4096 },
}

/** Width of ALBERT's embeddings, in every published size. */
const EMBEDDING = 128
/** Lines of BERT's Chinese vocabulary, which albert_zh and Google's Chinese ALBERT use. */
const CHINESE = 21128
/** Pieces of Google's English SentencePiece model. */
const ENGLISH = 30000

function preset(
  name: string,
  title: string,
  family: Preset['family'],
  vocabulary: number,
  { layers, hidden, heads, intermediate }: Size,
): Preset {
  const bert = family === 'bert'
  const config: ModelConfig = {
    family,
    architecture: bert ? 'bert' : 'albert',
    vocab_size: vocabulary,
    embedding_size: bert ? hidden : EMBEDDING,
    hidden_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    intermediate_size: intermediate,
    max_position_embeddings: 512,
    type_vocab_size: 2,
    num_hidden_groups: 1,
    inner_group_num: 1,
    layer_norm_eps: 1e-12,
    hidden_act: 'gelu_tanh',
    norm_position: 'post',
    mask_penalty: -10000,
    id2label: null,
    file: `${name}.json`,
  }
  return { name, family, title, config }
}

/** albert_zh's xlarge has heads of 64, Google's of 128. */
const zhSize = (name: string, size: Size): Size => (name === 'xlarge' ? { ...size, heads: 32 } : size)

/** Every preset, smallest first within its family. */
export const PRESETS: readonly Preset[] = [
  ...Object.entries(ALBERT_SIZES).map(([name, size]) =>
    preset(`albert-${name}-zh`, `albert_zh ${name}, brightmart's form`, 'zh', CHINESE, zhSize(name, size)),
  ),
  ...Object.entries(ALBERT_SIZES).map(([name, size]) =>
    preset(`albert-${name}-zh-google`, `Chinese ALBERT ${name}, Google's form`, 'google', CHINESE, size),
  ),
  ...Object.entries(ALBERT_SIZES).map(([name, size]) =>
    preset(`albert-${name}`, `ALBERT ${name}, Google's form`, 'google', ENGLISH, size),
  ),
  ...['v1', 'v2'].flatMap((version) =>
    (['base', 'large', 'xlarge', 'xxlarge'] as const).map((name) =>
      preset(
        `albert-${name}-${version}`,
        `ALBERT ${name} ${version}, Google's form`,
        'google',
        ENGLISH,
        ALBERT_SIZES[name]!,
      ),
    ),
  ),
  preset('bert-base', 'BERT base, English, uncased', 'bert', 30522, BERT_SIZES.base!),
  preset('bert-large', 'BERT large, English, uncased', 'bert', 30522, BERT_SIZES.large!),
  preset('bert-base-uncased', 'BERT base, English, uncased', 'bert', 30522, BERT_SIZES.base!),
  preset('bert-large-uncased', 'BERT large, English, uncased', 'bert', 30522, BERT_SIZES.large!),
  preset('bert-base-cased', 'BERT base, English, cased', 'bert', 28996, BERT_SIZES.base!),
  preset('bert-large-cased', 'BERT large, English, cased', 'bert', 28996, BERT_SIZES.large!),
  preset('bert-base-chinese', 'BERT base, Chinese', 'bert', CHINESE, BERT_SIZES.base!),
]

/** Names the preset that `name` probably means, else all of them. */
export function presetHint(name: string): string {
  const names = PRESETS.map((p) => p.name)
  const meant = nearest(name, names)
  return meant === null ? `presets: ${names.join(', ')}` : `did you mean ${meant}?`
}

/** The preset called `name` (`_` counts as `-`), or null. */
export function findPreset(name: string): Preset | null {
  const wanted = name.trim().toLowerCase().replaceAll('_', '-')
  return PRESETS.find((p) => p.name === wanted) ?? null
}
