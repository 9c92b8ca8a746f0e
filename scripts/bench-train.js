// Training steps a second of processor time, and peak memory, beside PyTorch's (AlbertForSequenceClassification with SDPA,
// AdamW, no dropout) where a Python has it: one thread, each run in a process of its own, alternated. Interpreter:
// ALBERTKIT_PYTHON_TRANSFORMERS, else ALBERTKIT_PYTHON; without either, albertkit alone.
//
//   npm run bench:train [-- ROUNDS]
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { table } from '../dist/report/table.js'

const BIN = fileURLToPath(new URL('../bin/run.js', import.meta.url))
const OURS = fileURLToPath(new URL('bench-train-steps.js', import.meta.url))
const TORCH = fileURLToPath(new URL('bench_train.py', import.meta.url))
const PYTHON = process.env.ALBERTKIT_PYTHON_TRANSFORMERS ?? process.env.ALBERTKIT_PYTHON
const rounds = Number(process.argv[2] ?? 3)
const BATCH = 32

const SIZES = {
  'the bundled model, 64 tokens': {
    sequence: 64,
    steps: 12,
    config: {
      vocab_size: 4100,
      embedding_size: 64,
      hidden_size: 128,
      num_hidden_layers: 4,
      num_attention_heads: 4,
      intermediate_size: 512,
    },
  },
  'albert-tiny, 128 tokens': {
    sequence: 128,
    steps: 3,
    config: {
      vocab_size: 21128,
      embedding_size: 128,
      hidden_size: 312,
      num_hidden_layers: 4,
      num_attention_heads: 12,
      intermediate_size: 1248,
    },
  },
}

function run(program, args, input = '') {
  const { status, stdout, stderr } = spawnSync(program, args, { input, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args[0]} ended with ${status}: ${stderr.slice(-2000)}`)
  return stdout
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]

const scratch = mkdtempSync(join(tmpdir(), 'albertkit-bench-train-'))
try {
  const lines = []
  for (const [name, { sequence, steps, config }] of Object.entries(SIZES)) {
    const own = { model_type: 'albert', hidden_act: 'gelu_new', max_position_embeddings: 512, type_vocab_size: 2 }
    const file = join(scratch, `${config.hidden_size}.json`)
    writeFileSync(file, JSON.stringify({ ...own, ...config, num_hidden_groups: 1, inner_group_num: 1 }))
    const model = join(scratch, String(config.hidden_size))
    run(process.execPath, [
      BIN,
      'init',
      file,
      '--to',
      'safetensors',
      '--task',
      'classify',
      '--labels',
      '10',
      '-o',
      model,
    ])
    const request = JSON.stringify({ model, batch: BATCH, sequence, steps })
    const programs = {
      albertkit: [process.execPath, OURS],
      ...(PYTHON === undefined ? {} : { torch: [PYTHON, TORCH] }),
    }
    const found = Object.fromEntries(Object.keys(programs).map((who) => [who, []]))
    for (let round = 0; round < rounds; round++)
      for (const [who, [program, script]] of Object.entries(programs))
        found[who].push(JSON.parse(run(program, [script], request)))
    for (const [who, all] of Object.entries(found))
      lines.push([
        name,
        who,
        median(all.map(({ cpu }) => (BATCH * steps) / cpu)).toFixed(1),
        (median(all.map(({ rss }) => rss)) / 1e6).toFixed(0),
      ])
  }
  console.log(table(lines, { head: ['size', 'with', 'examples / CPU s', 'peak MB'], right: [2, 3] }))
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
