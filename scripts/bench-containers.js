// Time and memory of converting an albert-xxlarge out of the containers that albertkit reads and does not write.
//
//   npm run bench:containers
//
// HDF5 needs a Python with h5py to write it: ALBERTKIT_PYTHON_TENSORFLOW, else ALBERTKIT_PYTHON, else python3.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openModel } from '../dist/api/open/open.js'
import { fillPattern } from '../dist/model/names/placeholders.js'
import { NAME_TABLES } from '../dist/model/names/tables.js'
import { parametersOf } from '../dist/model/tensors/read.js'
import { table } from '../dist/report/table.js'
import { writeGraphDef, writeV1 } from './tensorflow-files.js'

const BIN = fileURLToPath(new URL('../bin/run.js', import.meta.url))
const PEAK = `data:text/javascript,process.on('exit',()=>{process.stderr.write('albertkit-bench-peak '+process.resourceUsage().maxRSS+'\\n')})`

function albertkit(...args) {
  const start = performance.now()
  const { status, stderr } = spawnSync(process.execPath, ['--import', PEAK, BIN, ...args], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`albertkit ${args.join(' ')} ended with ${status}: ${stderr}`)
  const peak = Number(/albertkit-bench-peak (\d+)/.exec(stderr)?.[1]) / 1024
  return { seconds: (performance.now() - start) / 1000, peak }
}

const scratch = mkdtempSync(join(tmpdir(), 'albertkit-peers-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))
const checkpoint = join(scratch, 'checkpoint')
albertkit('init', process.argv[2] ?? 'albert-xxlarge', '-o', checkpoint, '--to', 'tf', '--no-verify')
const config = readdirSync(checkpoint).find((name) => name.endsWith('.json') && name !== 'albertkit.json')
const opened = await openModel(checkpoint)
const { source } = opened
const slots = new Map([...parametersOf(opened.model)].map(({ slot, shape }) => [slot, shape]))
const heads = opened.config.num_attention_heads

const PYTHON = process.env.ALBERTKIT_PYTHON_TENSORFLOW ?? process.env.ALBERTKIT_PYTHON ?? 'python3'
const hasH5py = spawnSync(PYTHON, ['-c', 'import h5py, numpy']).status === 0
if (!hasH5py) console.error(`${PYTHON} has no h5py: HDF5 is left out`)
// The names of Keras' models are those of Google's ALBERT.
const withHdf5 = hasH5py && opened.config.family === 'google'

/** Names and shapes of the checkpoint's weights in a table of names: those of its body, with `prefix` before. */
function namesIn(title, prefix) {
  const table = NAME_TABLES.findLast((t) => t.title === title)
  const rows = table.rows.filter((row) => row.prefixed && slots.has(fillPattern(row.slot, { l: 0, g: 0, j: 0 })))
  const shapeOf = ({ slot, dims, layout }) => {
    const shape = [...slots.get(fillPattern(slot, { l: 0, g: 0, j: 0 }))]
    if (layout === 'transposed') return shape.reverse()
    // Keras keeps the heads as an axis of their own.
    return table.tells ? shape.flatMap((size, axis) => (dims[axis] === 'A' ? [heads, size / heads] : [size])) : shape
  }
  return Object.fromEntries(rows.map((row) => [prefix + fillPattern(row.name, { l: 0, g: 0, j: 0 }), shapeOf(row)]))
}

/** An HDF5 file of noise. */
function writeH5(path, shapes) {
  const script = fileURLToPath(new URL('write_h5.py', import.meta.url))
  const { status, stderr } = spawnSync(PYTHON, [script, path], { input: JSON.stringify(shapes), encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
}

/** Writers of one container each, into a folder that has the configuration already. */
const CONTAINERS = {
  'TensorFlow V1': (folder) => writeV1(join(folder, 'model.ckpt'), source),
  'TensorFlow V1, in slices': (folder) => writeV1(join(folder, 'model.ckpt'), source, { rows: 1000 }),
  'frozen graph': (folder) => writeGraphDef(join(folder, 'frozen_model.pb'), source),
  SavedModel(folder) {
    const variables = join(folder, 'variables')
    mkdirSync(variables)
    for (const name of readdirSync(checkpoint)) {
      const suffix = /\.(index|data-\d{5}-of-\d{5})$/.exec(name)?.[0]
      if (suffix !== undefined) renameSync(join(checkpoint, name), join(variables, `variables${suffix}`))
    }
    // Schema version 1 and a meta graph without anything: a graph is not what is measured.
    writeFileSync(join(folder, 'saved_model.pb'), Uint8Array.from([8, 1, 18, 0]))
  },
}
/** Before SavedModel, which moves the checkpoint away. */
const HDF5 = {
  'tf_model.h5 of transformers': (folder) =>
    writeH5(
      join(folder, 'tf_model.h5'),
      namesIn('Hugging Face ALBERT for TensorFlow', 'albert/tf_albert_model/albert/'),
    ),
  '.weights.h5 of Keras': (folder) => writeH5(join(folder, 'model.weights.h5'), namesIn('keras-hub ALBERT', 'layers/')),
}

const rows = []
for (const [name, write] of Object.entries({ ...(withHdf5 ? HDF5 : {}), ...CONTAINERS })) {
  const folder = join(scratch, 'container')
  mkdirSync(folder)
  copyFileSync(join(checkpoint, config), join(folder, config))
  write(folder)
  for (const target of ['onnx', 'tfjs', 'safetensors']) {
    const out = join(scratch, 'out')
    const { seconds, peak } = albertkit('convert', folder, '--to', target, '-o', out, '--no-verify')
    rows.push([name, target, seconds.toFixed(1), peak.toFixed(0)])
    rmSync(out, { recursive: true })
  }
  rmSync(folder, { recursive: true })
}
opened.close()
console.log(table(rows, { head: ['from', 'to', 'seconds', 'peak MiB'], right: [2, 3] }))
