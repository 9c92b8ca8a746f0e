// Lines a second of reading text: by batch size and threads, one line at a time, and of a loop in Python over onnxruntime
// with the same model file, which ALBERTKIT_PYTHON_TRANSFORMERS names the Python of (with onnxruntime and tokenizers). All
// ways run in turns, so that what else the machine does meets them alike: only the ratios count.
//
// Then the tokenizers against those of Hugging Face's library, if that Python has transformers and sentencepiece, too.
//
//   npm run bench:predict [-- PRESET …]     presets as `albertkit init` has them; the bundled model if left out
//   npm run bench:predict -- tokenizers     these alone
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { openForReading } from '../dist/api/inference/job.js'
import { predictions } from '../dist/api/inference/piece.js'
import { table } from '../dist/report/table.js'
import { makeFeatures, padFeatures } from '../dist/text/data/features.js'
import { benchTokenizers } from './bench-tokenizers.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'albertkit-bench-predict-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))
const albertkit = (...args) =>
  execFileSync(process.execPath, [join(root, 'bin/run.js'), ...args], { stdio: ['ignore', 'ignore', 'pipe'] })

const MAX_LENGTH = 128
const BATCH = 32
const ROUNDS = 7
const CORES = availableParallelism()
const PYTHON = process.env.ALBERTKIT_PYTHON_TRANSFORMERS
const headlines = readFileSync(join(root, 'fixtures/zh-news/train.tsv'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => line.split('\t')[1])

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]

/** Seconds of the wall and of this process's processor time that `body` takes. */
async function timed(body) {
  const [start, before] = [performance.now(), process.cpuUsage()]
  await body()
  const { user, system } = process.cpuUsage(before)
  return { wall: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 }
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

function expectLines(seen, count) {
  if (seen !== count) throw new Error(`${seen} of ${count} lines were read`)
}

/** A process that answers each line of its input with one of JSON. */
function openProcess(program, args) {
  const child = spawn(program, [...args, String(MAX_LENGTH), String(BATCH)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ask = async (line) => {
    child.stdin.write(`${line}\n`)
    const { done, value } = await answers.next()
    if (done) throw new Error(`${program} ended`)
    return JSON.parse(value)
  }
  return { ask, close: () => child.stdin.end() }
}

/** The loop in Python: is asked for one of its bodies and a number of lines, and gives the seconds that they took. */
const openPython = (directory, file) =>
  openProcess(PYTHON, [
    join(root, 'scripts/bench-predict.py'),
    ...['onnx/model.onnx', 'vocab.txt'].map((name) => join(directory, name)),
    file,
  ])

/** What the cores give to programs that share nothing but memory and caches: a process for each, each with one thread. */
function openSideBySide(directory, file, lines) {
  const script = join(root, 'scripts/bench-predict-alone.js')
  const all = Array.from({ length: 2 }, () => openProcess(process.execPath, [script, directory, file]))
  const read = async () => {
    for (const seen of await Promise.all(all.map(({ ask }) => ask('read')))) expectLines(seen, lines)
  }
  return { read, close: () => all.forEach(({ close }) => close()) }
}

/** Ways to read lines: what each is called, the number of lines, and how it is timed. */
function waysOf(model, job, { python, both }, { lines, singles }) {
  const own = (name, count, body) => ({ name, count, time: () => timed(() => body(count)) })
  const ways = [
    own(`one line at a time, padded to ${MAX_LENGTH}`, singles, single(model, true)),
    own('one line at a time, not padded', 4 * singles, single(model, false)),
  ]
  for (const threads of [...new Set([1, 2, CORES])].filter((n) => n <= CORES))
    for (const batch of [1, 8, 32, 64]) {
      const read = async (count) => {
        let seen = 0
        for await (const { label } of predictions(model, { ...job, threads, batch })) seen += Number(label !== '')
        expectLines(seen, count)
      }
      ways.push(own(`batches of ${batch}, ${threads} thread${threads === 1 ? '' : 's'}`, lines, read))
    }
  if (both !== null) ways.push(own(SIDE_BY_SIDE, 2 * lines, both.read))
  if (python === null) return ways
  const theirs = (name, count, body) => ({ name, count, time: () => python.ask(`${body} ${count}`) })
  return [
    ...ways,
    theirs('Python, one line at a time, padded', singles, 'padded'),
    theirs('Python, one line at a time, not padded', 4 * singles, 'single'),
    theirs(PYTHON_BEST, lines, 'batches'),
    theirs(`Python, sorted batches of ${BATCH}, ${CORES} intra-op threads`, lines, 'batchesAllCores'),
  ]
}

const SIDE_BY_SIDE = `batches of ${BATCH}, two processes of 1 thread`
const PYTHON_BEST = `Python, sorted batches of ${BATCH}, 1 thread`

async function bench(name, directory, { lines, singles }) {
  const file = join(scratch, 'lines.txt')
  writeFileSync(file, Array.from({ length: lines }, (_, i) => `${headlines[i % headlines.length]}\n`).join(''))
  const job = { model: directory, input: file, format: 'jsonl', maxSeqLength: MAX_LENGTH }
  const model = await openForReading(job)
  const python = PYTHON === undefined ? null : openPython(directory, file)
  const both = CORES > 1 ? openSideBySide(directory, file, lines) : null
  const ways = waysOf(model, job, { python, both }, { lines, singles })
  const runs = ways.map(() => [])
  // The first round warms everything.
  for (let round = 0; round <= ROUNDS; round++)
    for (const [i, { time, count }] of ways.entries()) {
      const { wall, cpu } = await time()
      if (round > 0) runs[i].push({ wall: wall / count, cpu: cpu / count })
    }
  await model.close()
  python?.close()
  both?.close()
  const place = (name) => ways.findIndex((way) => way.name === name)
  const base = python === null ? 0 : place(PYTHON_BEST)
  const ratio = (i, of) => median(runs[i].map((run, round) => runs[base][round][of] / run[of])).toFixed(2)
  const best = (i, of) => (1 / Math.min(...runs[i].map((run) => run[of]))).toFixed(0)
  // Long batches, and those side by side, are computed in other processes.
  const isElsewhere = (i) => runs[i].every(({ wall, cpu }) => cpu < wall / 2)
  const processor = (i) => (isElsewhere(i) ? ['', ''] : [best(i, 'cpu'), ratio(i, 'cpu')])
  const rows = ways.map((way, i) => [way.name, best(i, 'wall'), ratio(i, 'wall'), ...processor(i)])
  console.log(`${name}, ${model.detail}, ${lines} headlines, ${CORES} cores; × of: ${ways[base].name}\n`)
  console.log(table(rows, { head: ['', 'lines/s', '×', 'lines/CPU s', '×'], right: [1, 2, 3, 4] }))
  if (both === null) return
  const one = place(`batches of ${BATCH}, 1 thread`)
  const gain = (i) => median(runs[i].map((run, round) => runs[one][round].wall / run.wall)).toFixed(2)
  const threads = gain(place(`batches of ${BATCH}, 2 threads`))
  console.log(
    `\n2 threads read ${threads} times the lines of 1 in batches of ${BATCH}; two processes ${gain(place(SIDE_BY_SIDE))}`,
  )
}

if (PYTHON === undefined)
  console.error(
    'no Python to compare with: ALBERTKIT_PYTHON_TRANSFORMERS names one that has onnxruntime and tokenizers',
  )
const presets = process.argv.slice(2).filter((name) => name !== 'tokenizers')
const areAll = process.argv.length === 2
if (areAll) {
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
if ((areAll || process.argv.includes('tokenizers')) && PYTHON !== undefined)
  await benchTokenizers(PYTHON, scratch, headlines)
