import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { initModel } from '../../src/api/init/init.js'

/** Random models that tag or answer, with a vocabulary of words and Chinese characters, as transformers saves them. */

export const TAGS = ['O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC'] as const

const VOCABULARY = [
  ...['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', '.', '?', ','],
  ...'我在北京上海人民大学的是一个城市和国家'.split('').filter((c, i, all) => all.indexOf(c) === i),
  ...['the', 'capital', 'of', 'france', 'is', 'paris', 'and', 'river', 'seine', 'runs', 'through', 'who', 'lives'],
  ...['where', 'does', 'it', 'li', '##ves', '##s', '##ing', 'run', 'city', 'big', 'people', 'many', 'in'],
]

export const TEXTS = ['我在北京上海大学。', 'Paris is the capital of France, running through rivers', '人']

export const PASSAGE =
  'Paris is the capital of France. The river Seine runs through the big city, and many people lives in it. ' +
  '北京是一个大城市。 Running rivers is the big river of the many people in the capital, 上海 and 北京 and Paris.'

export const QUESTIONS = ['Where does the river run?', '北京 is in 上海?', 'who lives in the big city']

/** Writes a model of BERT; weights large enough that answers differ clearly. */
export async function writeReadingModel(folder: string, task: 'token-classification' | 'qa'): Promise<void> {
  const config = `${folder}.json`
  const sizes = { vocab_size: VOCABULARY.length, hidden_size: 32, num_attention_heads: 4, intermediate_size: 48 }
  const rest = { num_hidden_layers: 2, max_position_embeddings: 64, type_vocab_size: 2, hidden_act: 'gelu' }
  writeFileSync(config, JSON.stringify({ model_type: 'bert', initializer_range: 0.4, ...sizes, ...rest }))
  await initModel(config, folder, { task, labels: TAGS.length, target: 'safetensors', seed: 5 })
  writeFileSync(join(folder, 'vocab.txt'), `${VOCABULARY.join('\n')}\n`)
  writeFileSync(
    join(folder, 'tokenizer_config.json'),
    JSON.stringify({ tokenizer_class: 'BertTokenizerFast', do_lower_case: true, model_max_length: 64 }),
  )
  if (task === 'qa') return
  rmSync(join(folder, 'labels.txt'))
  const file = join(folder, 'config.json')
  const fields = JSON.parse(readFileSync(file, 'utf8')) as object
  const id2label = Object.fromEntries(TAGS.map((tag, i) => [String(i), tag]))
  const label2id = Object.fromEntries(TAGS.map((tag, i) => [tag, i]))
  writeFileSync(file, JSON.stringify({ ...fields, id2label, label2id }))
}
