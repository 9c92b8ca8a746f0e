// Latency of the ONNX files that albertkit writes, beside those of other exporters, in the same onnxruntime of one Python
// that has torch, transformers, optimum (with its ONNX part) and onnxruntime. Interpreter: ALBERTKIT_PYTHON_TRANSFORMERS,
// else ALBERTKIT_PYTHON, else python3.
//
//   npm run bench:peers [-- PRESET [ROUNDS]]      presets: albert-tiny-zh-google and albert-base, if none is named
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { table } from '../dist/report/table.js'

const BIN = fileURLToPath(new URL('../bin/run.js', import.meta.url))
const SCRIPT = fileURLToPath(new URL('bench_peers.py', import.meta.url))
const PYTHON = process.env.ALBERTKIT_PYTHON_TRANSFORMERS ?? process.env.ALBERTKIT_PYTHON ?? 'python3'
const [preset, rounds = '30'] = process.argv.slice(2)

/** Rows and tokens; a batch of a larger model says nothing new and takes a second. */
const shapesOf = (name) => [[1, 128], [1, 32], ...(name.includes('tiny') ? [[8, 128]] : [])]

function run(program, args, input = '') {
  const { status, stdout, stderr } = spawnSync(program, args, { input, encoding: 'utf8', maxBuffer: 1 << 28 })
  if (status !== 0) throw new Error(`${program} ${args[0]} ended with ${status}: ${stderr.slice(-2000)}`)
  return stdout
}
const albertkit = (...args) => run(process.execPath, [BIN, ...args])

function measure(name) {
  const scratch = mkdtempSync(join(tmpdir(), 'albertkit-peers-'))
  try {
    const model = join(scratch, 'model')
    albertkit('init', name, '--to', 'safetensors', '--task', 'features', '-o', model)
    const forms = ['--dtype', 'f32', '--dtype', 'f16', '--dtype', 'int8', '--no-verify']
    albertkit('convert', model, '--to', 'onnx', ...forms, '-o', join(scratch, 'ours'))
    albertkit('convert', model, '--to', 'onnx', '--opset', '23', '--no-verify', '-o', join(scratch, 'newest'))
    mkdirSync(join(scratch, 'peers'))
    const config = JSON.parse(readFileSync(join(model, 'config.json'), 'utf8'))
    const request = {
      model,
      ours: {
        albertkit: join(scratch, 'ours/onnx/model.onnx'),
        'albertkit, opset 23': join(scratch, 'newest/onnx/model.onnx'),
        'albertkit f16': join(scratch, 'ours/onnx/model_fp16.onnx'),
        'albertkit int8': join(scratch, 'ours/onnx/model_int8.onnx'),
      },
      scratch: join(scratch, 'peers'),
      heads: config.num_attention_heads,
      hidden: config.hidden_size,
      rounds: Number(rounds),
      threads: 1,
      shapes: shapesOf(name),
    }
    return JSON.parse(run(PYTHON, [SCRIPT], JSON.stringify(request)))
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** How far a file's answers are from PyTorch's own. */
const furthest = (rows, file) => Math.max(...rows.map(({ files }) => files[file].maxAbs)).toExponential(1)

for (const name of preset === undefined ? ['albert-tiny-zh-google', 'albert-base'] : [preset]) {
  const { versions, cpu, skipped, rows } = measure(name)
  const versionText = Object.entries(versions).map(([what, version]) => `${what} ${version}`)
  console.log(
    `${name}: one thread, ${rounds} rounds, best of 3, ${versionText.join(', ')}, CPU with ${cpu.join(', ')}\n`,
  )
  const names = Object.keys(rows[0].files)
  const head = [
    'file',
    'MB',
    ...rows.flatMap(({ shape: [b, s] }) => [`${b} × ${s}: median CPU ms`, 'ratio', 'ratio of min']),
    'max |Δ|',
  ]
  const lines = names.map((file) => [
    file,
    (rows[0].files[file].bytes / 1e6).toFixed(1),
    ...rows.flatMap(({ files }) => [
      files[file].median.toFixed(2),
      files[file].ratio.toFixed(3),
      (files[file].min / files.albertkit.min).toFixed(3),
    ]),
    furthest(rows, file),
  ])
  console.log(table(lines, { head, right: head.map((_, i) => i).slice(1) }))
  for (const [file, why] of Object.entries(skipped)) console.log(`${file} was left out: ${why}`)
  console.log()
}
