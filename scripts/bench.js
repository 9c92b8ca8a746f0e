// How long a conversion takes against copying the same bytes, and how much memory it needs: on an albert-base and an
// albert-xxlarge with random weights, from a TensorFlow checkpoint and from a Hugging Face file, whose kernels are
// transposed on the way to tfjs. Every figure is a whole process; ratios are within this one run.
//
// Before that, what a verified conversion takes of the processor, against one that is not verified and against starting
// Node; optimum-cli beside it if the Python of ALBERTKIT_PYTHON_TRANSFORMERS, or python3, has it.
//
//   npm run bench [-- start|verify|base|xxlarge]
import { spawn } from 'node:child_process'
import {
  closeSync,
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { finished } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { ZipFile } from 'yazl'
import { writeSafetensors } from '../dist/formats/safetensors/write.js'
import { shardPath } from '../dist/formats/tf-bundle/source.js'
import { BundleWriter } from '../dist/formats/tf-bundle/write.js'
import { identify } from '../dist/model/names/identify.js'
import { fillPattern } from '../dist/model/names/placeholders.js'
import { tableOf } from '../dist/model/accounting/slots.js'
import { table } from '../dist/report/table.js'

const BIN = fileURLToPath(new URL('../bin/run.js', import.meta.url))
const ZH_NEWS = fileURLToPath(new URL('../fixtures/zh-news', import.meta.url))
const SIZES = {
  base: { V: 30000, E: 128, H: 768, I: 3072, L: 12, heads: 12 },
  xxlarge: { V: 30000, E: 128, H: 4096, I: 16384, L: 12, heads: 64 },
}
const config = ({ V, E, H, I, L, heads }) => ({
  model_type: 'albert',
  vocab_size: V,
  embedding_size: E,
  hidden_size: H,
  intermediate_size: I,
  num_hidden_layers: L,
  num_attention_heads: heads,
  num_hidden_groups: 1,
  inner_group_num: 1,
  hidden_act: 'gelu_new',
  type_vocab_size: 2,
  max_position_embeddings: 512,
  layer_norm_eps: 1e-12,
})

/** Names and stored shapes of a one-group model of `family`, without classifier. */
function variables(family, size) {
  const dims = { ...size, A: size.H, P: 512, T: 2, 2: 2 }
  const { rows, prefixes } = tableOf({ family, architecture: 'albert' })
  return rows
    .filter((row) => !/^(classifier|qa)\/|^mlm\/decoder|\{l\}/.test(row.slot))
    .map((row) => {
      const shape = row.dims.map((d) => dims[d])
      const name = (row.prefixed ? prefixes[0] : '') + fillPattern(row.name, { g: 0, j: 0 })
      return { name, shape: row.layout === 'transposed' ? shape.reverse() : shape }
    })
}

/** Random floats of about 0.02, one buffer for all: what they are does not matter, that they are not zero does. */
const noise = new Float32Array(1 << 20).map(() => (Math.random() - 0.5) * 0.04)
function pour(shape, sink) {
  const total = shape.reduce((a, b) => a * b, 1)
  for (let done = 0; done < total; done += noise.length) {
    sink(new Uint8Array(noise.buffer, 0, Math.min(noise.length, total - done) * 4))
  }
}

function writingFile(path, body) {
  const file = openSync(path, 'w')
  try {
    body((bytes) => writeSync(file, bytes))
  } finally {
    closeSync(file)
  }
}

function makeCheckpoint(folder, size) {
  mkdirSync(folder)
  writingFile(shardPath(join(folder, 'model.ckpt'), 0, 1), (put) => {
    const writer = new BundleWriter(put)
    for (const { name, shape } of variables('google', size)) writer.add(name, 'F32', shape, (sink) => pour(shape, sink))
    writeFileSync(join(folder, 'model.ckpt.index'), writer.finish())
  })
  writeFileSync(join(folder, 'albert_config.json'), JSON.stringify(config(size)))
}

function makeHuggingFace(folder, size) {
  mkdirSync(folder)
  const tensors = variables('hf', size).map((v) => ({ ...v, dtype: 'F32' }))
  writingFile(join(folder, 'model.safetensors'), (put) => {
    writeSafetensors(put, tensors, ({ shape }, sink) => pour(shape, sink), { format: 'pt' })
  })
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config(size)))
}

/** Seconds and peak MiB of a whole process. GNU time is not everywhere, so the kernel is asked while it runs. */
function measure(command, args) {
  return new Promise((resolve, reject) => {
    const start = performance.now()
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    let stderr = ''
    child.stderr.on('data', (text) => (stderr += text))
    child.on('close', (code) => {
      const seconds = (performance.now() - start) / 1000
      const [, maxRss = 0, cpu = 0] = /albertkit-bench-peak (\d+) (\d+)/.exec(stderr) ?? []
      if (code === 0) resolve({ seconds, peak: Number(maxRss) / 1024, cpu: Number(cpu) / 1e6 })
      else reject(new Error(`${command} ${args.join(' ')} ended with ${code}: ${stderr}`))
    })
  })
}
// Loaded before the command: says the peak of its own process at the end (in KiB), and the processor time of all its
// threads (in microseconds).
const PEAK = `data:text/javascript,process.on('exit',()=>{const r=process.resourceUsage();process.stderr.write('albertkit-bench-peak '+r.maxRSS+' '+(r.userCPUTime+r.systemCPUTime)+'\\n')})`
const albertkit = (...args) => measure(process.execPath, ['--import', PEAK, BIN, ...args])

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
async function repeat(times, body) {
  const runs = []
  for (let i = 0; i < times; i++) runs.push(await body())
  return {
    seconds: median(runs.map((r) => r.seconds)),
    peak: Math.max(...runs.map((r) => r.peak)),
    // What else runs on the machine only adds to it.
    cpu: Math.min(...runs.map((r) => r.cpu)),
  }
}

const scratch = mkdtempSync(join(tmpdir(), 'albertkit-bench-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))
const only = process.argv[2]
const START_ROUNDS = 15

/** Least processor time and wall time of commands that are run in turns. */
async function startsOf(commands) {
  const least = commands.map(() => ({ cpu: Infinity, seconds: Infinity }))
  for (let round = 0; round < START_ROUNDS; round++)
    for (const [i, run] of commands.entries()) {
      const { cpu, seconds } = await run()
      least[i] = { cpu: Math.min(least[i].cpu, cpu), seconds: Math.min(least[i].seconds, seconds) }
    }
  return least
}
const [nothing, version, help, inspect] = await startsOf([
  () => measure(process.execPath, ['--import', PEAK, '-e', '0']),
  () => albertkit('--version'),
  () => albertkit('--help'),
  () => albertkit('inspect', ZH_NEWS),
])
const started = ([name, { cpu, seconds }]) => [
  name,
  cpu.toFixed(3),
  (cpu / nothing.cpu).toFixed(2),
  (seconds / nothing.seconds).toFixed(2),
]
const starts = Object.entries({ '--version': version, '--help': help, 'inspect of a small model': inspect })
const head = [`least of ${START_ROUNDS}, in turns`, 'processor s', '× node -e 0', '× its wall time']
console.log(`${table(starts.map(started), { head, right: [1, 2, 3] })}\n`)

/** Seconds of the processor to find the family of 100,000 names, which a file may have; the least of five. */
function identification(nameOf) {
  const names = Array.from({ length: 100_000 }, (_, i) => nameOf(i))
  const tensors = new Map(names.map((name) => [name, { name, dtype: 'F32', shape: [4], byteLength: 16, file: '' }]))
  const runs = Array.from({ length: 5 }, () => {
    const before = process.cpuUsage()
    try {
      identify({ files: [''], tensors, read: () => undefined, close: () => undefined })
    } catch {
      // They are no model's.
    }
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1e6
  })
  return Math.min(...runs).toFixed(2)
}
const named = {
  'layers of BERT': (i) => `bert.encoder.layer.${i >> 4}.x${i & 15}.weight`,
  'an optimizer': (i) => `bert/encoder/layer_${i % 12}/attention/self/query/kernel/adam_m_${i}`,
  'scopes of TensorFlow': (i) => `tower_${i}/bert/embeddings/word_embeddings`,
  'another model': (i) => `model.layers.${i >> 3}.mlp.w${i & 7}`,
}
const identified = Object.entries(named).map(([name, nameOf]) => `${name} ${identification(nameOf)} s`)
console.log(`identification of 100,000 names, processor time (least of 5): ${identified.join(', ')}\n`)
if (only === 'start') process.exit()

const PYTHON = process.env.ALBERTKIT_PYTHON_TRANSFORMERS ?? 'python3'

/** Processor seconds of `optimum-cli export`, which validates with one input; null if this Python lacks it. */
async function optimum(folder, out) {
  const script =
    'import resource,subprocess,sys;import optimum.exporters.onnx;' +
    'subprocess.run([sys.executable,"-m","optimum.commands.optimum_cli","export","onnx","--task","fill-mask","-m",*sys.argv[1:]],check=True,stdout=sys.stderr);' +
    'r=resource.getrusage(resource.RUSAGE_CHILDREN);sys.stderr.write(f"\\nalbertkit-bench-peak {r.ru_maxrss} {int((r.ru_utime+r.ru_stime)*1e6)}\\n")'
  try {
    return (await measure(PYTHON, ['-c', script, folder, out])).cpu
  } catch {
    return null
  }
}

/** What verification takes, in processor time: of all threads, so that the number of cores does not matter. */
async function benchVerification() {
  const rows = []
  for (const preset of ['albert-tiny', 'albert-base']) {
    const model = join(scratch, preset)
    await albertkit('init', preset, '-o', model)
    const beside = join(scratch, `${preset}-hf`)
    await albertkit('init', preset, '--to', 'safetensors', '-o', beside)
    const peer = await optimum(beside, join(scratch, 'optimum'))
    for (const target of ['onnx', 'tfjs']) {
      const args = ['convert', model, '--to', target, '-o', join(scratch, 'verified'), '--force']
      const plain = await repeat(3, () => albertkit(...args, '--no-verify'))
      const { cpu, peak } = await repeat(3, () => albertkit(...args))
      const ratios = [cpu / plain.cpu, cpu / nothing.cpu].map((ratio) => ratio.toFixed(1))
      const other = target === 'onnx' && peer !== null ? (cpu / peer).toFixed(2) : ''
      rows.push([preset, target, cpu.toFixed(2), ...ratios, other, peak.toFixed(0)])
    }
  }
  const head = ['verified', 'to', 'processor s', '× unverified', '× node -e 0', '× optimum', 'peak MiB']
  console.log(`${table(rows, { head, right: [2, 3, 4, 5, 6] })}\n`)
  const model = join(scratch, 'albert-xxlarge')
  await albertkit('init', 'albert-xxlarge', '-o', model)
  const weights = readdirSync(model).reduce((sum, file) => sum + statSync(join(model, file)).size, 0) / 2 ** 20
  const { cpu, peak } = await albertkit('convert', model, '--to', 'onnx', '-o', join(scratch, 'verified'), '--force')
  console.log(
    `albert-xxlarge to ONNX, verified: ${cpu.toFixed(0)} s of the processor, at most ${peak.toFixed(0)} MiB: ` +
      `${(peak / weights).toFixed(2)} × the weights, of which 1.3 × and 300 MiB are ${(1.3 * weights + 300).toFixed(0)}\n`,
  )
  for (const folder of [model, join(scratch, 'verified')]) rmSync(folder, { recursive: true, force: true })
}
if (only === undefined || only === 'verify') await benchVerification()

/** Every form that is written, and the one that each is converted to in turn. */
const TARGETS = ['tfjs', 'onnx', 'safetensors', 'tf']
const BACK = { tfjs: 'safetensors', onnx: 'safetensors', safetensors: 'tf', tf: 'safetensors' }

const remove = (path) => rmSync(path, { recursive: true, force: true })

/** Converts `times` times and leaves what the last one wrote at `out`. */
const convert = (source, target, out, times) =>
  repeat(times, async () => {
    remove(out)
    // Pages that earlier runs left to be written would be written at this one's cost.
    await measure('sync', [])
    return albertkit('convert', source, '--to', target, '-o', out, '--no-verify')
  })

/** `folder` as an archive at `path`. */
function pack(folder, path) {
  if (path.endsWith('.tar.gz')) return measure('tar', ['-czf', path, '-C', dirname(folder), basename(folder)])
  const zip = new ZipFile()
  for (const name of readdirSync(folder)) zip.addFile(join(folder, name), `model/${name}`, { compress: false })
  zip.end()
  return finished(zip.outputStream.pipe(createWriteStream(path)))
}

const rows = []
const out = join(scratch, 'out')
for (const [name, size] of Object.entries(SIZES)) {
  if (only !== undefined && only !== name) continue
  const sources = { checkpoint: join(scratch, `${name}-ckpt`), 'Hugging Face': join(scratch, `${name}-hf`) }
  makeCheckpoint(sources.checkpoint, size)
  makeHuggingFace(sources['Hugging Face'], size)
  const folder = sources.checkpoint
  const bytes = readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)
  const times = name === 'base' ? 5 : 3
  const copy = join(scratch, 'copy')
  const cp = await repeat(times, async () => {
    remove(copy)
    await measure('sync', [])
    return measure('cp', ['-r', folder, copy])
  })
  remove(copy)
  rows.push([name, `cp of ${(bytes / 1e6).toFixed(0)} MB`, '', cp.seconds.toFixed(3), '1.0', '', ''])
  for (const [kind, source] of Object.entries(sources)) {
    for (const target of TARGETS) {
      const { seconds, peak } = await convert(source, target, out, times)
      const own = (seconds - help.seconds) / cp.seconds
      const ratio = (seconds / cp.seconds).toFixed(1)
      rows.push([name, kind, target, seconds.toFixed(3), ratio, `--help + ${own.toFixed(1)} × cp`, peak.toFixed(0)])
      if (kind !== 'checkpoint') continue
      // What was written is a source too; once is enough to see its memory.
      const back = await convert(target === 'tf' ? join(out, 'tf') : out, BACK[target], `${out}-back`, 1)
      remove(`${out}-back`)
      rows.push([name, `that ${target}`, BACK[target], '', '', '', back.peak.toFixed(0)])
    }
  }
  for (const kind of ['zip', 'tar.gz']) {
    const archive = join(scratch, `${name}.${kind}`)
    await pack(folder, archive)
    const { peak } = await convert(archive, 'onnx', out, 1)
    rows.push([name, `.${kind} of a checkpoint`, 'onnx', '', '', '', peak.toFixed(0)])
    remove(archive)
  }
  for (const source of Object.values(sources)) remove(source)
}
if (rows.length > 0)
  console.log(table(rows, { head: ['model', 'from', 'to', 'seconds', '× cp', 'is', 'peak MiB'], right: [3, 4, 6] }))
