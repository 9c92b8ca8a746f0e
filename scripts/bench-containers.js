// Time and memory of converting an albert-xxlarge out of the containers that albertkit reads and does not write.
//
//   npm run bench:containers
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openSource } from '../dist/formats/open.js'
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
const source = await openSource(checkpoint)

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

const rows = []
for (const [name, write] of Object.entries(CONTAINERS)) {
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
source.close()
console.log(table(rows, { head: ['from', 'to', 'seconds', 'peak MiB'], right: [2, 3] }))
