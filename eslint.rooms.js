// The import rule of the house: which room may know which.
import { dirname, relative, resolve, sep } from 'node:path'

const src = resolve(import.meta.dirname, 'src')

/** The way to files, which every room that reads some may know. */
const PORT = ['confined', 'file-port', 'tree-port', 'file', 'paths'].map((name) => `formats/core/${name}`)

/** Tables whose names are the values of options: they import no code that takes time, so that commands start fast. */
const TABLES = ['model/tasks', 'model/accounting/presets', 'runtime/runners']

/**
 * Imports go one way: commands → api → export, runtime, compare → model → formats/core/source. Each room, a folder of
 * src/, lists what it may import from: whole rooms, or single modules of one. With `typesOnly` it may know those by type
 * alone. base/, vendor/ and proto/ are the ground floor, open to all; the public API and the entry point of the command
 * line (src/index.ts, src/main.ts) stand above all rooms.
 */
export const ROOMS = {
  commands: {
    imports: ['api', 'report', ...TABLES],
    typesOnly: ['training', 'export', 'runtime', 'compare', 'model', 'formats', 'text', 'sharding', 'files'],
  },
  report: {
    imports: ['files'],
    typesOnly: ['api', 'training', 'compare', 'export', 'model', 'runtime', 'sharding', 'text'],
  },
  api: {
    // Of the schemas, that of the configuration that `build` reads.
    imports: [
      'hub',
      'training',
      'export',
      'runtime',
      'compare',
      'model',
      'formats',
      'text',
      'sharding',
      'files',
      'schemas/build-config',
    ],
  },
  schemas: { imports: ['compare', 'runtime'] },
  sharding: { imports: ['files'] },
  export: {
    // Readers of artefacts stand in the table of targets beside their writers.
    imports: [
      'files',
      'model',
      ...PORT,
      'formats/core/source',
      'formats/onnx/source',
      'formats/safetensors/write',
      'formats/tf-bundle/write',
      'formats/tfjs/metadata',
      'formats/tfjs/source',
      'formats/tflite/source',
      'formats/views/dequantised',
      'formats/zip/write',
    ],
  },
  // Training graphs are ONNX: they are written with the nodes of that export.
  training: { imports: ['model', 'export/node-names', 'export/onnx/nodes', 'formats/core/source'] },
  runtime: {
    imports: ['files', 'model', 'formats/core/source', 'formats/tflite/head'],
    typesOnly: ['compare/tolerance'],
  },
  compare: { imports: ['files', 'model', 'formats/core/source'] },
  model: { imports: ['formats/core/source', ...PORT] },
  // `explain` says that a file of a tokenizer is a pointer or a page.
  text: { imports: [...PORT, 'formats/core/explain'] },
  formats: { imports: [] },
  // A matrix of vectors is written with the header of safetensors.
  files: { imports: [...PORT, 'formats/safetensors/write'] },
  // Models that are named instead of lying somewhere: the way to their files.
  hub: { imports: ['files', 'formats/core/contained', ...PORT] },
  // What runs in a page: the library in a worker (kit/), what it needs in place of Node (system/, runtimes/), the pages.
  web: {
    imports: [
      'api',
      'files',
      'formats/core/checksums',
      'formats/zip/write',
      'runtime/gpu/adapter',
      'runtime/litert/printed',
      'runtime/onnx/onnxruntime',
      'runtime/runner',
      'runtime/tfjs/use-backend',
    ],
    typesOnly: ['runtime', 'model'],
  },
  base: { imports: [] },
}

const GROUND = ['base', 'vendor', 'proto']

/**
 * Floors inside model/: each folder lists what it may import besides itself and the core, the files that lie in model/
 * itself. The core imports no folder.
 */
export const MODEL_FLOORS = {
  tensors: [],
  names: ['tensors'],
  load: ['names', 'tensors'],
  reference: ['tensors'],
  health: ['tensors'],
  accounting: ['load', 'names', 'tensors'],
  rewrite: ['load', 'names', 'tensors'],
  random: ['accounting', 'rewrite', 'names', 'tensors'],
}

/** The path below src/ without its ending, with `/`; null for what lies elsewhere. */
function below(path) {
  const inner = relative(src, path)
  return inner.startsWith('..')
    ? null
    : inner
        .split(sep)
        .join('/')
        .replace(/\.[jt]sx?$/, '')
}

const covers = (entries, module) => entries.some((entry) => module === entry || module.startsWith(`${entry}/`))

/** True if `from` may import `to`, both modules of model/. */
function onFloor(from, to) {
  const [floor, target] = [from, to].map((module) => module.split('/').slice(1, -1)[0])
  return target === undefined || target === floor || (MODEL_FLOORS[floor] ?? []).includes(target)
}

/** True if `from`, a module of src/, may import `to`. */
export function allowed(from, to, isType) {
  const [room] = from.split('/')
  const rule = ROOMS[room]
  if (rule === undefined || !from.includes('/')) return true
  if (!to.includes('/')) return false
  if (room === 'model' && to.startsWith('model/')) return onFloor(from, to)
  if (covers([room, ...GROUND], to)) return room !== 'base' || covers(['base', 'vendor'], to)
  return covers(rule.imports, to) || (isType && covers(rule.typesOnly ?? [], to))
}

const rooms = {
  meta: {
    type: 'problem',
    schema: [],
    messages: { way: '{{from}} must not know {{to}}: imports go one way (eslint.rooms.js).' },
  },
  create(context) {
    const from = below(context.filename)
    if (from === null) return {}
    const check = (node, source, isType) => {
      if (typeof source?.value !== 'string' || !source.value.startsWith('.')) return
      const to = below(resolve(dirname(context.filename), source.value))
      if (to !== null && !allowed(from, to, isType)) context.report({ node, messageId: 'way', data: { from, to } })
    }
    const isTypeOnly = (node) =>
      node.importKind === 'type' ||
      node.exportKind === 'type' ||
      (node.specifiers?.length > 0 && node.specifiers.every((one) => (one.importKind ?? one.exportKind) === 'type'))
    return {
      ImportDeclaration: (node) => check(node, node.source, isTypeOnly(node)),
      ExportNamedDeclaration: (node) => check(node, node.source, isTypeOnly(node)),
      ExportAllDeclaration: (node) => check(node, node.source, node.exportKind === 'type'),
      ImportExpression: (node) => check(node, node.source, false),
      TSImportType: (node) => check(node, node.source ?? node.argument?.literal, true),
    }
  },
}

export default { rules: { rooms } }
