// The TensorFlow Lite files that albertkit writes: processor time and memory of converting, bytes, and latency beside
// TFLiteConverter's files of the same weights and onnxruntime, in one process of a Python that has tensorflow,
// ai-edge-litert and onnxruntime (ALBERTKIT_PYTHON_TENSORFLOW, else ALBERTKIT_PYTHON, else python3); then in wasm
// beside onnxruntime-web, in Node and, if there is one, in Chromium.
//
//   npm run bench:lite [-- ROUNDS [native|inNode|inBrowser]]
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { timeOfPage } from './processor-ticks.js'
import { openRunner } from '../dist/runtime/runners.js'
import { table } from '../dist/report/table.js'

const BIN = fileURLToPath(new URL('../bin/run.js', import.meta.url))
const SCRIPT = fileURLToPath(new URL('bench_lite.py', import.meta.url))
const PYTHON = process.env.ALBERTKIT_PYTHON_TENSORFLOW ?? process.env.ALBERTKIT_PYTHON ?? 'python3'
const PRESET = 'albert-tiny-zh-google'
const SEQUENCE = 128
const [rounds = '30', only] = process.argv.slice(2)

const scratch = mkdtempSync(join(tmpdir(), 'albertkit-lite-bench-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))

function run(program, args, input = '') {
  const { status, stdout, stderr } = spawnSync(program, args, { input, encoding: 'utf8', maxBuffer: 1 << 28 })
  if (status !== 0) throw new Error(`${program} ${args[0]} ended with ${status}: ${stderr.slice(-2000)}`)
  return { stdout, stderr }
}
// Says the peak of its process at the end (KiB), and the processor time of all its threads (microseconds).
const PEAK = `data:text/javascript,process.on('exit',()=>{const r=process.resourceUsage();process.stderr.write('albertkit-bench-peak '+r.maxRSS+' '+(r.userCPUTime+r.systemCPUTime)+'\\n')})`
function albertkit(...args) {
  const { stderr } = run(process.execPath, ['--import', PEAK, BIN, ...args])
  const [, peak, cpu] = /albertkit-bench-peak (\d+) (\d+)/.exec(stderr)
  return { peak: Number(peak) / 1024, cpu: Number(cpu) / 1e6 }
}

const model = join(scratch, 'model')
albertkit('init', PRESET, '--to', 'safetensors', '--task', 'features', '-o', model)

/** Least processor time of five conversions, and the highest peak. */
function converting(...args) {
  const runs = Array.from({ length: 5 }, () =>
    albertkit('convert', model, ...args, '--no-verify', '--force', '-o', join(scratch, 'ours')),
  )
  return { cpu: Math.min(...runs.map(({ cpu }) => cpu)), peak: Math.max(...runs.map(({ peak }) => peak)) }
}
const converted = ['f32', 'f16', 'int8', 'int4'].map((dtype) => {
  const { cpu, peak } = converting('--to', `tflite:${dtype}`)
  return [dtype, cpu.toFixed(2), peak.toFixed(0)]
})
albertkit('convert', model, '--to', 'onnx:f32,int8', '--no-verify', '--force', '-o', join(scratch, 'ours'))
console.log(`${PRESET}, ${SEQUENCE} tokens\n`)
console.log(table(converted, { head: ['conversion, unverified', 'processor s', 'peak MiB'] }))

const file = (name) => join(scratch, 'ours', name)
const ours = Object.fromEntries(
  [
    ['f32', ''],
    ['f16', '_fp16'],
    ['int8', '_int8'],
    ['int4', '_int4'],
  ].map(([dtype, ending]) => [dtype, file(`tflite/model${ending}.tflite`)]),
)

function native() {
  mkdirSync(join(scratch, 'peers'))
  const request = {
    model,
    ours,
    onnx: { 'onnxruntime f32': file('onnx/model.onnx'), 'onnxruntime int8': file('onnx/model_int8.onnx') },
    scratch: join(scratch, 'peers'),
    rounds: Number(rounds),
    sequence: SEQUENCE,
  }
  const { versions, files } = JSON.parse(run(PYTHON, [SCRIPT], JSON.stringify(request)).stdout)
  const lines = Object.entries(files).map(([name, { bytes, median, ratio, delegates, nodes, maxAbs }]) => [
    name,
    String(bytes),
    median.toFixed(2),
    ratio.toFixed(3),
    delegates === null ? '' : String(delegates),
    nodes === null ? '' : String(nodes),
    maxAbs.toExponential(1),
  ])
  const versionText = Object.entries(versions).map(([what, version]) => `${what} ${version}`)
  console.log(`\none thread, ${rounds} rounds, best of 3, ${versionText.join(', ')}\n`)
  console.log(table(lines, { head: ['file', 'bytes', 'median CPU ms', 'ratio', 'delegates', 'operators', 'max |Δ|'] }))
}

const ids = (value) => Int32Array.from({ length: SEQUENCE }, (_, i) => value(i))
const inputs = {
  batch: 1,
  sequence: SEQUENCE,
  input_ids: ids((i) => 5 + ((i * 37) % 900)),
  attention_mask: ids(() => 1),
  token_type_ids: ids(() => 0),
}

/** In Node, onnxruntime's own build would run, not wasm. */
const OPTIONS = { onnxPackage: 'onnxruntime-web' }

/** Runs files in turns, some runs at a time, and prints the processor time of a run that `measure` gives. */
async function compare(where, names, measure, { turns, runs }) {
  const files = {
    'LiteRT f32': [names.litert, ours.f32],
    'LiteRT int8': [names.litert, ours.int8],
    'onnxruntime-web f32': [names.onnx, file('onnx/model.onnx')],
    'onnxruntime-web int8': [names.onnx, file('onnx/model_int8.onnx')],
  }
  const runners = new Map()
  for (const [name, [runner, path]] of Object.entries(files))
    runners.set(name, await openRunner(runner, { file: path }, OPTIONS))
  const times = new Map([...runners.keys()].map((name) => [name, []]))
  try {
    for (const runner of runners.values()) for (let i = 0; i < 3; i++) await runner.run(inputs, ['pooler_output'])
    for (let turn = 0; turn < turns; turn++)
      for (const [name, runner] of runners) {
        const milliseconds = await measure(async () => {
          for (let i = 0; i < runs; i++) await runner.run(inputs, ['pooler_output'])
        })
        times.get(name).push(milliseconds / runs)
      }
  } finally {
    for (const runner of runners.values()) await runner.close()
  }
  const base = times.get('onnxruntime-web f32')
  const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1]
  const lines = [...times].map(([name, values]) => [
    name,
    median(values).toFixed(1),
    Math.min(...values).toFixed(1),
    median(values.map((value, i) => value / base[i])).toFixed(2),
  ])
  const details = new Set([...runners.values()].map(({ detail }) => detail))
  console.log(`\nwasm in ${where}: ${[...details].join('; ')}; ${turns} turns of ${runs} runs\n`)
  console.log(table(lines, { head: ['file', 'median CPU ms', 'least', 'to onnxruntime-web f32'] }))
}

/** Milliseconds of the processor that `body` takes in this process. */
async function timeOfProcess(body) {
  const before = process.cpuUsage()
  await body()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

const inNode = () => compare('Node', { litert: 'litert', onnx: 'onnxruntime' }, timeOfProcess, { turns: 11, runs: 3 })
// Ticks are long.
const inBrowser = () =>
  compare('Chromium', { litert: 'browser-litert-wasm', onnx: 'browser-ort-wasm' }, timeOfPage, { turns: 9, runs: 20 })

for (const part of [native, inNode, inBrowser].filter(({ name }) => only === undefined || name === only))
  try {
    await part()
  } catch (error) {
    console.error(`${part.name} is left out: ${error.message.split('\n').slice(-4).join('\n')}`)
  }
console.log(
  `\nbytes: ${Object.entries(ours)
    .map(([name, path]) => `${name} ${statSync(path).size}`)
    .join(', ')}`,
)
