import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { environment, malformed } from '../../base/errors.js'
import { installCommand } from '../../base/install-command.js'
import { findPackage, named } from '../../base/optional-package.js'
import { TfliteFile } from '../litert/file.js'
import { PACKAGE, wasmFolder } from '../litert/load.js'
import type { FixedShape } from '../litert/rows.js'
import { dataBeside, withOutputs } from '../onnx/onnx-outputs.js'
import { firstLine } from '../runner.js'
import { graphNames, type GraphNames, type ModelJson } from '../tfjs/tfjs-names.js'
import { addedOutputs, type InnerValues } from '../values.js'
import type { PageBackend, PageRequest, PageState } from './protocol.js'
import type { Served } from './server.js'

/** Scripts, served files and load request of a page. */
export interface Content {
  /** Name of the library in messages. */
  readonly library: 'TensorFlow.js' | 'onnxruntime-web' | 'LiteRT'
  /** URLs of the scripts, in loading order. */
  readonly scripts: readonly string[]
  readonly served: Served
  readonly request: PageRequest
  /** Package and version, as text. */
  detail(state: PageState): string
  names(state: PageState): GraphNames
  /** Shape of the inputs, if the model takes no other: rows are padded. */
  readonly fixed?: FixedShape
}

/** Path of a page's bundled script: near this module in dist, or in dist if the TypeScript sources run. */
function pageFile(name: string): string {
  for (const place of ['..', '../..', '../../../dist']) {
    const file = fileURLToPath(new URL(`${place}/browser/${name}`, import.meta.url))
    if (existsSync(file)) return file
  }
  throw environment('the page of the browser runners is missing from this installation', {
    code: 'installation-damaged',
    hint: 'npm run build',
  })
}

function readModelJson(file: string): ModelJson {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ModelJson
  } catch (error) {
    throw malformed(`not a readable model.json: ${firstLine(error)}`, {
      code: 'artefact-rejected',
      file,
      cause: error,
    })
  }
}

/** Files of `directory` whose names match, by their URLs below `at`. */
const filesOf = (directory: string, at: string, pattern: RegExp): [string, string][] =>
  readdirSync(directory)
    .filter((name) => pattern.test(name))
    .map((name) => [`${at}/${name}`, join(directory, name)])

/** Content for TensorFlow.js: its wasm files, the model and its shards. */
export function tfjsContent(file: string, backend: PageBackend): Content {
  const json = readModelJson(file)
  const wasm = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))
  const shards = json.weightsManifest.flatMap((group) => group.paths)
  return {
    library: 'TensorFlow.js',
    scripts: ['/page.js'],
    served: new Map([
      ['/page.js', pageFile('albertkit-page.js')],
      ...filesOf(wasm, '/wasm', /\.wasm$/),
      ['/model/model.json', file],
      ...shards.map((name) => [`/model/${name}`, join(dirname(file), name)] as const),
    ]),
    request: { backend, model: '/model/model.json', data: [] },
    detail: ({ version }) => `@tensorflow/tfjs-core ${version}`,
    names: () => graphNames(json),
  }
}

/** Build of onnxruntime-web for a backend, as its documentation recommends for script tags. */
const BUILDS: Readonly<Record<PageBackend, string>> = {
  wasm: 'onnxruntime-web/wasm',
  webgpu: 'onnxruntime-web/webgpu',
}

/**
 * Content for onnxruntime-web: its script and wasm files from the installed package, the model and its external data.
 * @throws AlbertkitError `environment` if the package is absent
 */
export function onnxContent(file: string, backend: PageBackend, name: string, values: InnerValues): Content {
  const script = findPackage(BUILDS[backend])
  if (script === null)
    throw environment(`${name} needs onnxruntime-web, which is not installed`, {
      code: 'package-missing',
      hint: installCommand('onnxruntime-web'),
    })
  const added = addedOutputs(values)
  const data = dataBeside(file)
  const model = `/model/${basename(file)}`
  return {
    library: 'onnxruntime-web',
    scripts: ['/ort/ort.js', '/page.js'],
    served: new Map<string, string | Uint8Array>([
      ['/page.js', pageFile('albertkit-page-ort.js')],
      ['/ort/ort.js', script],
      ...filesOf(dirname(script), '/ort', /^ort-wasm-.*\.(wasm|mjs)$/),
      [model, added.length === 0 ? file : withOutputs(readModel(file), added)],
      ...data.map((path) => [`/model/${basename(path)}`, path] as const),
    ]),
    request: { backend, model, data: data.map((path) => ({ path: basename(path), data: `/model/${basename(path)}` })) },
    detail: ({ version }) => `onnxruntime-web ${version}`,
    names: (state) => ({
      outputs: state.outputs.filter((output) => !added.includes(output)),
      marks: values.marks,
      inner: Object.keys(values.inner),
      nodes: new Map(Object.entries(values.inner)),
    }),
  }
}

/** The library with its other module, which the package names as only a bundler finds it. */
function litertScripts(entry: string): readonly (readonly [string, string | Uint8Array])[] {
  const other = createRequire(entry).resolve('@litertjs/wasm-utils')
  const text = readFileSync(entry, 'utf8').replaceAll(
    /(from\s*["'])@litertjs\/wasm-utils(["'])/g,
    '$1/litert/utils.js$2',
  )
  return [
    ['/litert/index.js', new TextEncoder().encode(text)],
    ['/litert/utils.js', other],
  ]
}

/** Tokens of a row for a file that leaves them open, which the library for browsers does not run. */
const USUAL_LENGTH = 128

/**
 * Content for LiteRT: its modules and wasm files from the installed package, and the model.
 * @throws AlbertkitError `environment` if the package is absent, `malformed`
 */
export function litertContent(file: string, backend: PageBackend, name: string, values: InnerValues): Content {
  const wasm = wasmFolder(name)
  const entry = findPackage(PACKAGE)!
  const model = new TfliteFile(file, values)
  const fixed = model.shapeFor({ sequence: model.sequence ?? Math.min(USUAL_LENGTH, model.longest) })
  return {
    library: 'LiteRT',
    scripts: ['/page.js'],
    served: new Map<string, string | Uint8Array>([
      ['/page.js', pageFile('albertkit-page-litert.js')],
      ...litertScripts(entry),
      ...filesOf(wasm, '/litert/wasm', /\.(wasm|js)$/),
      ['/model/model.tflite', model.bytesFor(fixed)],
    ]),
    request: { backend, model: '/model/model.tflite', data: [] },
    detail: () => named(PACKAGE),
    names: () => ({
      outputs: model.outputs,
      marks: values.marks,
      inner: Object.keys(values.inner),
      nodes: new Map(Object.entries(values.inner)),
    }),
    fixed,
  }
}

function readModel(file: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch (error) {
    throw malformed(`not a readable model: ${firstLine(error)}`, { code: 'file-unreadable', file, cause: error })
  }
}
