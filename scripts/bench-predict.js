// Lines a second of reading text: by batch size and threads, one line at a time, and of a loop in Python over onnxruntime
// with the same model file, which ALBERTKIT_PYTHON_TRANSFORMERS names the Python of (with onnxruntime and tokenizers).
//
//   npm run bench:predict [-- PRESET …]     presets as `albertkit init` has them; the bundled model if left out
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openForReading } from '../dist/api/inference/job.js'
import { predictions } from '../dist/api/inference/piece.js'
import { table } from '../dist/report/table.js'
import { makeFeatures, padFeatures } from '../dist/text/data/features.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'albertkit-bench-predict-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))
const albertkit = (...args) =>
  execFileSync(process.execPath, [join(root, 'bin/run.js'), ...args], { stdio: ['ignore', 'ignore', 'pipe'] })

const MAX_LENGTH = 128
const CORES = availableParallelism()
const PYTHON = process.env.ALBERTKIT_PYTHON_TRANSFORMERS
const headlines = readFileSync(join(root, 'fixtures/zh-news/train.tsv'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => line.split('\t')[1])

/**
 * Lines a second of `body`, which reads `lines` lines, and lines for each second of processor time, which a busy machine
 * changes less: the best of three times, with everything warm.
 */
async function rate(lines, body) {
  await body(Math.min(lines, 64))
  let [wall, cpu] = [Infinity, Infinity]
  for (let i = 0; i < 3; i++) {
    const [start, before] = [performance.now(), process.cpuUsage()]
    await body(lines)
    const { user, system } = process.cpuUsage(before)
    wall = Math.min(wall, (performance.now() - start) / 1000)
    cpu = Math.min(cpu, (user + system) / 1e6)
  }
  return { wall: lines / wall, cpu: lines / cpu }
}

/** One line at a time; padded to the maximum as run_classifier's input function does, or not at all. */
const single = (model, padded) => async (count) => {
  for (const text of headlines.slice(0, count)) {
    const features = makeFeatures(model.tokenizer, text, null, MAX_LENGTH)
    const sequence = padded ? MAX_LENGTH : features.input_ids.length
    const { input_ids, input_mask, segment_ids } = padFeatures(features, sequence)
    const [ids, mask, types] = [input_ids, input_mask, segment_ids].map((row) => Int32Array.from(row))
    await model.run({ rowIndices: [0], sequence, input_ids: ids, attention_mask: mask, token_type_ids: types }, [
      'logits',
    ])
  }
}

async function bench(name, directory, { lines, singles }) {
  const file = join(scratch, 'lines.txt')
  writeFileSync(file, Array.from({ length: lines }, (_, i) => `${headlines[i % headlines.length]}\n`).join(''))
  const few = join(scratch, 'few.txt')
  writeFileSync(
    few,
    headlines
      .slice(0, 64)
      .map((line) => `${line}\n`)
      .join(''),
  )
  const job = { model: directory, input: file, format: 'jsonl', maxSeqLength: MAX_LENGTH }
  const model = await openForReading(job)
  const rows = []
  const padded = await rate(singles, single(model, true))
  const add = (what, { wall, cpu }) =>
    rows.push([what, wall.toFixed(0), (wall / padded.wall).toFixed(1), cpu.toFixed(0), (cpu / padded.cpu).toFixed(1)])
  add(`one line at a time, padded to ${MAX_LENGTH}`, padded)
  add('one line at a time, not padded', await rate(4 * singles, single(model, false)))
  for (const threads of [...new Set([1, 2, CORES])].filter((n) => n <= CORES))
    for (const batch of [1, 8, 32, 64]) {
      const read = async (count) => {
        const own = { ...job, input: count === lines ? file : few, threads, batch }
        let seen = 0
        for await (const { label } of predictions(model, own)) seen += Number(label !== '')
        if (seen !== count) throw new Error(`${seen} of ${count} lines were read`)
      }
      add(`batches of ${batch}, ${threads} thread${threads === 1 ? '' : 's'}`, await rate(lines, read))
    }
  await model.close()
  if (PYTHON === undefined) {
    console.error(
      'no Python to compare with: ALBERTKIT_PYTHON_TRANSFORMERS names one that has onnxruntime and tokenizers',
    )
  } else {
    const onnx = join(directory, 'onnx/model.onnx')
    const args = [onnx, join(directory, 'vocab.txt'), file, String(MAX_LENGTH), '32', String(singles)]
    const script = join(root, 'scripts/bench-predict.py')
    const python = JSON.parse(execFileSync(PYTHON, [script, ...args], { encoding: 'utf8' }))
    add('Python, one line at a time, padded', python.padded)
    add('Python, one line at a time, not padded', python.single)
    add('Python, sorted batches of 32, 1 thread', python.batches)
    add(`Python, sorted batches of 32, ${CORES} intra-op threads`, python.batchesAllCores)
  }
  console.log(`${name}, ${model.detail}, ${lines} headlines, ${CORES} cores\n`)
  console.log(table(rows, { head: ['', 'lines/s', '×', 'lines/CPU s', '×'], right: [1, 2, 3, 4] }))
}

const presets = process.argv.slice(2)
if (presets.length === 0) {
  const out = join(scratch, 'zh-news')
  albertkit('convert', join(root, 'fixtures/zh-news'), '--to', 'onnx', '--no-verify', '-o', out)
  await bench('zh-news', out, { lines: 8000, singles: 200 })
}
for (const preset of presets) {
  const [source, out] = [join(scratch, 'source'), join(scratch, preset)]
  albertkit('init', preset, '-o', source, '--task', 'classify', '--labels', '10', '--no-verify', '--force')
  albertkit('convert', source, '--to', 'onnx', '--no-verify', '-o', out)
  await bench(preset, out, { lines: 1024, singles: 16 })
}
