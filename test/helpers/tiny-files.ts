import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { initModel } from '../../src/api/init/init.js'

export const TINY_LABELS: readonly string[] = ['left', 'right']
const WORDS = ['a', 'b', 'c', 'd', 'e', 'f']
const SIZES = { vocab_size: 40, embedding_size: 8, hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2 }
const REST = { intermediate_size: 32, max_position_embeddings: 16, type_vocab_size: 2, hidden_act: 'gelu' }

/** Writes the configuration of a tiny ALBERT. */
export const writeTinyConfig = (file: string): void => {
  writeFileSync(file, JSON.stringify({ ...SIZES, ...REST, num_hidden_groups: 1, inner_group_num: 1 }))
}

/** Writes a tiny classifier of two classes with random weights, as a checkpoint in a folder. */
export async function writeTinyClassifier(folder: string, seed = 0, labels = TINY_LABELS): Promise<void> {
  writeTinyConfig(`${folder}.json`)
  await initModel(`${folder}.json`, folder, { task: 'classify', labels: labels.length, seed, verify: false })
  const vocabulary = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...WORDS]
  writeFileSync(join(folder, 'vocab.txt'), `${vocabulary.join('\n')}\n`)
  writeFileSync(join(folder, 'labels.txt'), labels.map((label) => `${label}\n`).join(''))
}

/** Lines `label, text` for that classifier. */
export const tinyLines = (count: number, labels = TINY_LABELS): string[] =>
  Array.from(
    { length: count },
    (_, i) => `${labels[i % 2] ?? ''}\t${[1, 2, 3].map((k) => WORDS[(i * k) % WORDS.length]).join(' ')}\n`,
  )
