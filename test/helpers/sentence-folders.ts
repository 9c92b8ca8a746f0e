import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { elementCount } from '../../src/formats/core/source.js'
import type { TensorPlan } from '../../src/formats/safetensors/write.js'
import { random } from './tiny-model.js'
import { writeSafetensorsFile } from './write-files.js'

/** The transformer of all cases: a BERT of width 16, and the vectors that sentence-transformers gives. */
export const SENTENCES = fileURLToPath(new URL('../fixtures/sentences', import.meta.url))
export const BASE = join(SENTENCES, 'model')

export const TEXTS = [
  'the film was very bad',
  'I Love the Cat',
  '足球 队 赢 了 。',
  '',
  'a mat , a dog and the good movies !',
]

/** A sentence-transformers folder. */
export interface SentenceCase {
  readonly name: string
  /** Modules after the transformer: class, `config.json`, shapes of the weights. */
  readonly modules: readonly (readonly [className: string, config: object | null, weights?: Weights])[]
  /** `sentence_bert_config.json` */
  readonly settings?: object
  /** `config_sentence_transformers.json` */
  readonly config?: object
  /** Fields of `tokenizer_config.json`. */
  readonly tokenizer?: object
  /** Folder of the transformer. */
  readonly folder?: string
  readonly prompt?: string
  readonly promptName?: string
}

type Weights = Readonly<Record<string, readonly number[]>>

const pooling = (...modes: string[]) =>
  ['Pooling', { word_embedding_dimension: 16, ...Object.fromEntries(modes.map((mode) => [mode, true])) }] as const
const legacy = (mode: string) => pooling(`pooling_mode_${mode}`)
const MEAN = legacy('mean_tokens')

export const dense = (inputs: number, outputs: number, activation = 'activation.Tanh', bias = true) =>
  [
    'Dense',
    {
      in_features: inputs,
      out_features: outputs,
      bias,
      activation_function: `torch.nn.modules.${activation}`,
    },
    { 'linear.weight': [outputs, inputs], ...(bias ? { 'linear.bias': [outputs] } : {}) },
  ] as const

const norm = (width: number) =>
  ['LayerNorm', { dimension: width }, { 'norm.weight': [width], 'norm.bias': [width] }] as const
const NORMALIZE = ['Normalize', null] as const

const PROMPTS = { prompts: { query: 'the cat : ', passage: '足球: ' }, default_prompt_name: null }

export const SENTENCE_CASES: readonly SentenceCase[] = [
  ...['cls_token', 'max_tokens', 'mean_tokens', 'mean_sqrt_len_tokens', 'weightedmean_tokens', 'lasttoken'].map(
    (mode): SentenceCase => ({ name: mode, modules: [legacy(mode)] }),
  ),
  {
    name: 'concatenation of older versions',
    modules: [pooling('pooling_mode_mean_tokens', 'pooling_mode_lasttoken', 'pooling_mode_cls_token')],
  },
  {
    name: 'concatenation in its order',
    modules: [
      ['Pooling', { embedding_dimension: 16, pooling_mode: ['weightedmean', 'cls', 'max'], include_prompt: true }],
      dense(48, 12),
      NORMALIZE,
    ],
  },
  { name: 'no mode', modules: [['Pooling', { word_embedding_dimension: 16 }]] },
  { name: 'Dense without bias', modules: [MEAN, dense(16, 9, 'linear.Identity', false), NORMALIZE] },
  ...['GELU', 'ReLU', 'Sigmoid', 'SiLU', 'LeakyReLU', 'ELU', 'SELU', 'Mish', 'Softplus', 'Hardswish'].map(
    (name): SentenceCase => ({ name: `Dense with ${name}`, modules: [MEAN, dense(16, 8, `activation.${name}`)] }),
  ),
  {
    name: 'two Dense, LayerNorm, Dropout',
    modules: [MEAN, dense(16, 24), ['Dropout', { dropout: 0.3 }], norm(24), dense(24, 5, 'activation.GELU'), NORMALIZE],
  },
  { name: 'max_seq_length', modules: [MEAN], settings: { max_seq_length: 5, do_lower_case: false } },
  { name: 'model_max_length', modules: [MEAN], tokenizer: { model_max_length: 6 } },
  {
    name: 'do_lower_case of a cased tokenizer',
    modules: [MEAN],
    settings: { max_seq_length: 32, do_lower_case: true },
    tokenizer: { do_lower_case: false },
  },
  { name: 'prompt', modules: [MEAN], config: PROMPTS, prompt: 'good cat ' },
  { name: 'named prompt', modules: [MEAN], config: PROMPTS, promptName: 'passage' },
  { name: 'default prompt', modules: [MEAN], config: { ...PROMPTS, default_prompt_name: 'query' } },
  ...(['cls', 'max', 'mean', 'mean_sqrt_len_tokens', 'weightedmean', 'lasttoken'] as const).map(
    (mode): SentenceCase => ({
      name: `${mode} without the prompt`,
      modules: [['Pooling', { embedding_dimension: 16, pooling_mode: mode, include_prompt: false }]],
      config: { ...PROMPTS, default_prompt_name: 'query' },
    }),
  ),
  { name: 'truncate_dim', modules: [MEAN, NORMALIZE], config: { truncate_dim: 7 } },
  { name: 'transformer in a folder', modules: [MEAN, dense(16, 8)], folder: '0_Transformer' },
]

function writeWeights(path: string, weights: Weights, seed: number): void {
  const next = random(seed)
  const tensors = Object.entries(weights).map(([name, shape]): TensorPlan => ({
    name,
    dtype: 'F32',
    shape,
  }))
  writeSafetensorsFile(path, tensors, ({ shape }, put) => {
    put(new Uint8Array(Float32Array.from({ length: elementCount(shape) }, () => next() - 0.5).buffer))
  })
}

/** Writes the folder of a case; the same case gives the same bytes. */
export function writeSentenceFolder(directory: string, one: SentenceCase): string {
  const { modules, settings = { max_seq_length: 32, do_lower_case: false }, config, tokenizer, folder = '' } = one
  const write = (path: string, value: object): void => {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), JSON.stringify(value))
  }
  const inner = join(directory, folder)
  mkdirSync(inner, { recursive: true })
  cpSync(BASE, inner, { recursive: true })
  if (tokenizer !== undefined) {
    const own = { do_lower_case: true, tokenizer_class: 'BertTokenizer', model_max_length: 512, ...tokenizer }
    write(join(folder, 'tokenizer_config.json'), own)
  }
  // The length of the tokenizer counts only without one of the transformer.
  if (tokenizer === undefined || one.settings !== undefined) write(join(folder, 'sentence_bert_config.json'), settings)
  if (config !== undefined) write('config_sentence_transformers.json', config)
  const list = modules.map(([className, own, weights], i) => {
    const path = `${i + 1}_${className}`
    if (own !== null) write(join(path, 'config.json'), own)
    if (weights !== undefined) writeWeights(join(directory, path, 'model.safetensors'), weights, i + 1)
    return { idx: i + 1, name: String(i + 1), path, type: `sentence_transformers.models.${className}` }
  })
  const first = { idx: 0, name: '0', path: folder, type: 'sentence_transformers.models.Transformer' }
  write('modules.json', [first, ...list])
  return directory
}
