// Files beside the weights: settings of tokenizers, names of classes, modules of sentence-transformers, adapters, manifests.
import * as albertkit from '../../dist/index.js'
import { readLabelMap } from '../../dist/api/label-map.js'
import { readLabelLines } from '../../dist/api/labels.js'
import { readVectorPlan } from '../../dist/api/inference/sentence/read-vectors.js'
import { modelTokenizer } from '../../dist/api/open/tokenizer.js'
import { mutateLines, mutateSafetensors } from './binary.js'
import { mutateJsonBytes } from './json.js'
import { contentsOf, readTokenizer, withModel } from './judge.js'
import { mutatePickle } from './pickle.js'

const utf8 = (text) => new TextEncoder().encode(text)
const json = (value) => utf8(JSON.stringify(value))
const jsons = (files) => Object.entries(files).map(([name, value]) => [name, json(value)])

const token = (content) => ({ content, lstrip: true, normalized: false, rstrip: false, single_word: false })
const SETTINGS = {
  'tokenizer_config.json': {
    ...{ tokenizer_class: 'BertTokenizer', do_lower_case: true, strip_accents: null, tokenize_chinese_chars: true },
    ...{ model_max_length: 8, truncation_side: 'right', unk_token: '[UNK]', mask_token: token('[MASK]') },
    added_tokens_decoder: { 1: { ...token('[UNK]'), special: true }, 24: { ...token('央行'), special: false } },
  },
  'special_tokens_map.json': { cls_token: '[CLS]', sep_token: token('[SEP]'), additional_special_tokens: ['[X]'] },
  'added_tokens.json': { 央行: 24, '[X]': 25 },
}

/** Names of two classes in every file that scripts leave; the pickle is `{'a': 0, 'b': 1}`. */
const NAMES = new Map([
  ...jsons({ 'id2label.json': { 0: 'a', 1: 'b' }, 'label2id.json': { a: 0, b: 1 }, 'label_list.json': ['a', 'b'] }),
  ['label2id.pkl', Uint8Array.from(Buffer.from('\x80\x02}q\0(X\x01\0\0\0aq\x01K\0X\x01\0\0\0bq\x02K\x01u.', 'latin1'))],
  ['labels.txt', utf8('a\nb\n')],
])

const MODULES = {
  'modules.json': [
    { idx: 0, name: '0', path: '', type: 'sentence_transformers.models.Transformer' },
    { idx: 1, name: '1', path: '1_Pooling', type: 'sentence_transformers.models.Pooling' },
    { idx: 2, name: '2', path: '2_Dense', type: 'sentence_transformers.models.Dense' },
    { idx: 3, name: '3', path: '3_Normalize', type: 'sentence_transformers.models.Normalize' },
  ],
  'config_sentence_transformers.json': { prompts: { query: 'the ' }, default_prompt_name: 'query', truncate_dim: 2 },
  'sentence_bert_config.json': { max_seq_length: 8, do_lower_case: true },
  '1_Pooling/config.json': { word_embedding_dimension: 8, pooling_mode_mean_tokens: true, include_prompt: false },
  '2_Dense/config.json': {
    ...{ in_features: 8, out_features: 3, bias: true, activation_function: 'torch.nn.modules.activation.Tanh' },
  },
}

const ADAPTER = {
  'adapter_config.json': {
    ...{ peft_type: 'LORA', r: 2, lora_alpha: 4, target_modules: ['query'], bias: 'none', fan_in_fan_out: false },
    ...{ task_type: 'FEATURE_EXTRACTION', use_rslora: false, rank_pattern: {}, alpha_pattern: { query: 8 } },
  },
}
const QUERY = 'base_model.model.albert.encoder.albert_layer_groups.0.albert_layers.0.attention.query'

/**
 * The sound files of a tiny model with everything beside it.
 * @param out what convert wrote
 * @param safetensors writes a file of tensors
 * @param floats makes the bytes of so many numbers
 */
export function soundSideFiles(out, safetensors, floats) {
  const model = [...out].filter(([name]) => /^(model\.safetensors|config\.json|vocab\.txt)$/.test(name))
  const tensor = (name, shape) => ({
    name,
    dtype: 'F32',
    shape,
    bytes: floats(
      shape.reduce((n, d) => n * d, 1),
      3,
    ),
  })
  const dense = safetensors([tensor('linear.weight', [3, 8]), tensor('linear.bias', [3])])
  const lora = safetensors([tensor(`${QUERY}.lora_A.weight`, [2, 8]), tensor(`${QUERY}.lora_B.weight`, [8, 2])])
  return {
    settings: new Map([...model, ...jsons(SETTINGS)]),
    names: NAMES,
    sentence: new Map([...model, ...jsons(MODULES), ['2_Dense/model.safetensors', dense]]),
    adapter: new Map([...model, ...jsons(ADAPTER), ['adapter_model.safetensors', lora]]),
  }
}

/** Rules by the first bytes of a file. */
function structure(bytes, next) {
  if (bytes[0] === 0x80) return mutatePickle(bytes, next)
  if (bytes[8] === 0x7b && bytes[7] === 0) return mutateSafetensors(bytes, next)
  return bytes[0] === 0x7b || bytes[0] === 0x5b ? mutateJsonBytes(bytes, next) : mutateLines(bytes, next)
}

const readNames = (files, path) =>
  JSON.stringify([readLabelMap(files, path)?.labels, readLabelLines(files, `${path}/labels.txt`)])

const readSentence = (files, path) =>
  withModel(files, path, {}, async (opened) => JSON.stringify(await readVectorPlan(opened, modelTokenizer(opened), {})))

const readAdapter = (files, path, { fill, checksum }) =>
  withModel(files, path, { mergeLora: true, checksum }, (opened) => contentsOf(opened.source, fill))

const readManifest = async (files, path) => JSON.stringify(await albertkit.checkDirectory(path, { files }))

/** Readers of these files, as in `readersOf`. */
export function sideFileReaders({ settings, names, sentence, adapter, out }) {
  const reader = (files, damaged, read) => ({ files, damaged, path: '', structure, read })
  return {
    settings: reader(settings, /^(tokenizer_config|special_tokens_map|added_tokens)\.json$/, readTokenizer),
    names: reader(names, /./, readNames),
    sentence: reader(sentence, /^(modules|.*sentence.*)\.json$|^\d_/, readSentence),
    adapter: reader(adapter, /^adapter/, readAdapter),
    manifest: reader(out, /^albertkit\.json$/, readManifest),
  }
}
