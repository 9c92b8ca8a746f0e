// Latency in Chromium of the files that albertkit writes for the web, beside what others make of the same weights, in
// one page of one library, as processor time of the page (Linux): TensorFlow.js beside the graph model that tensorflowjs_converter makes of transformers'
// TFAlbertModel, and onnxruntime-web beside optimum's ONNX file, which is what transformers.js loads; in wasm (one
// thread) and in WebGPU, if need be on Chromium's software adapter, whose figures say nothing of a GPU.
//
// Python with optimum (ALBERTKIT_PYTHON_TRANSFORMERS) and with tensorflowjs, tf_keras and a transformers that has
// TensorFlow (ALBERTKIT_PYTHON_TENSORFLOWJS); what is missing is left out.
//
//   npm run bench:web [-- ROUNDS [tfjs|onnx [wasm|webgpu]]]
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { timeOfPage } from './processor-ticks.js'
import { findPackage } from '../dist/base/optional-package.js'
import { table } from '../dist/report/table.js'
import { findBrowser } from '../dist/runtime/browser/find.js'
import { launches, openPage } from '../dist/runtime/browser/launch.js'
import { servePage } from '../dist/runtime/browser/server.js'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const BIN = here('../bin/run.js')
const { resolve } = createRequire(import.meta.url)
const PYTHON = {
  onnx: process.env.ALBERTKIT_PYTHON_TRANSFORMERS ?? 'python3',
  tfjs: process.env.ALBERTKIT_PYTHON_TENSORFLOWJS ?? 'python3',
}
const PEER = { onnx: 'optimum', tfjs: 'tensorflowjs_converter' }
const [rounds = '15', onlyLibrary, onlyBackend] = process.argv.slice(2)

/** Rows and tokens; on a software adapter 128 tokens take many seconds. */
const CASES = {
  wasm: [
    ['albert-tiny-zh-google', [1, 32]],
    ['albert-tiny-zh-google', [1, 128]],
    ['albert-tiny-zh-google', [1, 512]],
    ['albert-base', [1, 128]],
  ],
  webgpu: [['albert-tiny-zh-google', [1, 32]]],
}
/** Milliseconds that the runs of a turn take at least: the processor's time is counted in hundredths of a second. */
const TURN_MS = 400

const scratch = mkdtempSync(join(tmpdir(), 'albertkit-web-bench-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))

function run(program, args) {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (status !== 0)
    throw new Error(`${program} ended with ${status}: ${error?.message ?? stderr.trim().split('\n').at(-1)}`)
}

/** The first line that says what was wrong. */
const reasonOf = ({ message }) => message.trim().split('\n')[0]

/** Files of a model by their makers: `{ library: { maker: path } }`. */
function filesOf(preset) {
  const [model, ours] = [join(scratch, preset), join(scratch, `${preset}-ours`)]
  run(process.execPath, [BIN, 'init', preset, '--to', 'safetensors', '--task', 'features', '-o', model])
  run(process.execPath, [BIN, 'convert', model, '--to', 'tfjs', '--to', 'onnx', '--no-verify', '-o', ours])
  const files = {
    tfjs: { albertkit: join(ours, 'tfjs/model.json') },
    onnx: { albertkit: join(ours, 'onnx/model.onnx') },
  }
  for (const kind of ['onnx', 'tfjs']) {
    if ((onlyLibrary ?? kind) !== kind) continue
    const out = join(scratch, `${preset}-${kind}`)
    mkdirSync(out)
    try {
      run(PYTHON[kind], [here('bench_web.py'), kind, model, out])
      files[kind][PEER[kind]] = join(out, kind === 'onnx' ? 'model.onnx' : 'model.json')
    } catch (error) {
      console.error(`${PEER[kind]} is left out: ${reasonOf(error)}`)
    }
  }
  return files
}

const bundled = async (entry) => {
  const options = { bundle: true, write: false, minify: true, format: 'iife', platform: 'browser', logLevel: 'error' }
  const { outputFiles } = await build({ entryPoints: [here(entry)], ...options })
  return outputFiles[0].contents
}
const within = (folder, at, pattern) =>
  readdirSync(folder)
    .filter((name) => pattern.test(name))
    .map((name) => [`${at}/${name}`, join(folder, name)])

/** What the page of a library is served. */
const CONTENTS = {
  tfjs: async () => ({
    scripts: ['/page.js'],
    served: [
      ['/page.js', await bundled('web-pages/tfjs.js')],
      ...within(dirname(resolve('@tensorflow/tfjs-backend-wasm')), '/wasm', /\.wasm$/),
    ],
  }),
  onnx: async (backend) => {
    const script = findPackage(`onnxruntime-web/${backend}`)
    return {
      scripts: ['/ort/ort.js', '/page.js'],
      served: [
        ['/page.js', here('web-pages/ort.js')],
        ['/ort/ort.js', script],
        ...within(dirname(script), '/ort', /^ort-wasm-.*\.(wasm|mjs)$/),
      ],
    }
  },
}

const random = (length) => Array.from({ length }, (_, i) => 5 + ((i * 37) % 900))
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
/** Largest difference of two arrays. */
const apart = (a, b) => a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0)

/** Processor time of a run of each maker's file in each turn. */
async function times(page, makers, shape) {
  const ids = random(shape[0] * shape[1])
  const run = (maker, runs) =>
    page.evaluate(([m, s, i, n]) => globalThis.bench.run(m, s, i, n), [maker, shape, ids, runs])
  const found = new Map()
  let runs = 1
  for (const maker of makers) {
    const values = await run(maker, 1)
    const once = await timeOfPage(() => run(maker, 1))
    runs = Math.max(runs, Math.ceil(TURN_MS / Math.max(1, once)))
    found.set(maker, { values, times: [] })
  }
  for (let round = 0; round < Number(rounds); round++)
    for (const maker of makers) found.get(maker).times.push((await timeOfPage(() => run(maker, runs))) / runs)
  return found
}

/** Opens the page of a library with the files of a model, and gives the times of each shape. */
async function inPage(library, backend, files, shapes) {
  const makers = Object.keys(files[library])
  const { scripts, served } = await CONTENTS[library](backend)
  const models = makers.flatMap((maker) => within(dirname(files[library][maker]), `/${maker}`, /\.(onnx|json|bin)$/))
  const server = await servePage(new Map([...served, ...models]), scripts)
  try {
    for (const args of launches(backend, { allowSoftware: true })) {
      const { page, browser, close } = await openPage(findBrowser(), server.origin, args)
      try {
        if (
          backend === 'webgpu' &&
          (await page.evaluate(async () => (await globalThis.navigator.gpu?.requestAdapter()) ?? null)) === null
        )
          continue
        const version = await page.evaluate((b) => globalThis.bench.start(b), backend)
        for (const maker of makers)
          await page.evaluate(
            ([m, url]) => globalThis.bench.load(m, url),
            [maker, `/${maker}/${library === 'onnx' ? 'model.onnx' : 'model.json'}`],
          )
        const all = []
        for (const shape of shapes) all.push([shape, await times(page, makers, shape)])
        return { version: `${version}, Chromium ${browser.version()}`, all }
      } finally {
        await close()
      }
    }
    throw new Error(`no adapter for ${backend}`)
  } finally {
    server.close()
  }
}

const megabytes = (path) =>
  within(dirname(path), '', /\.(onnx|bin|json)$/).reduce((sum, [, file]) => sum + statSync(file).size, 0) / 1e6

const rows = []
const versions = new Set()
for (const preset of new Set(
  Object.values(CASES)
    .flat()
    .map(([name]) => name),
)) {
  const files = filesOf(preset)
  for (const library of ['tfjs', 'onnx'])
    for (const backend of ['wasm', 'webgpu']) {
      const shapes = CASES[backend].filter(([name]) => name === preset).map(([, shape]) => shape)
      const isLeft = (onlyLibrary ?? library) !== library || (onlyBackend ?? backend) !== backend
      if (isLeft || shapes.length === 0) continue
      try {
        const { version, all } = await inPage(library, backend, files, shapes)
        versions.add(version)
        for (const [shape, found] of all) {
          const ours = found.get('albertkit')
          for (const [maker, { times: own, values }] of found)
            rows.push([
              `${preset}, ${shape.join(' × ')}`,
              `${library} on ${backend}`,
              maker,
              megabytes(files[library][maker]).toFixed(1),
              Math.min(...own).toFixed(1),
              median(own.map((time, i) => time / ours.times[i])).toFixed(2),
              (Math.min(...own) / Math.min(...ours.times)).toFixed(2),
              apart(values, ours.values).toExponential(1),
            ])
        }
      } catch (error) {
        console.error(`${library} on ${backend} is left out: ${reasonOf(error)}`)
      }
    }
}
const head = ['model, inputs', 'runtime', 'file of', 'MB', 'least CPU ms', 'ratio', 'of the least', 'max |Δ|']
console.log(`${[...versions].join('; ')}; ${rounds} rounds\n`)
console.log(table(rows, { head, right: [3, 4, 5, 6, 7] }))
