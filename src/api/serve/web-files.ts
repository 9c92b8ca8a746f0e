import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { GRAPH_TARGETS, type GraphTarget } from '../../base/artefact-layout.js'
import { environment } from '../../base/errors.js'
import { findPackage } from '../../base/optional-package.js'
import { packageFolder } from '../../base/version.js'

/** Path of a file, or contents that are made for the page. */
export type WebFile = string | Uint8Array

/** Files by their paths below the page's address. */
export type WebFiles = ReadonlyMap<string, WebFile>
type PathFiles = ReadonlyMap<string, string>

/** Files below a folder, by their paths in it with `/`. */
const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

/** Files of `folder` whose names match, below `at`. */
const matching = (folder: string, at: string, pattern: RegExp): [string, string][] =>
  readdirSync(folder)
    .filter((name) => pattern.test(name))
    .map((name) => [`${at}/${name}`, join(folder, name)])

/** Files of an optional package; none if it is not installed: pages say so when they need it. */
function ofPackage(specifier: string, at: string, pattern: RegExp, inner = '.'): [string, string][] {
  const entry = findPackage(specifier)
  if (entry === null) return []
  const folder = join(dirname(entry), inner)
  return existsSync(folder) ? matching(folder, at, pattern) : []
}

/** Runtimes that pages load when they use them, from the installed packages, below `runtimes/`. */
export function runtimeFiles(): PathFiles {
  const tfjs = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))
  return new Map([
    ...matching(tfjs, 'tfjs', /^tfjs-backend-wasm(-simd)?\.wasm$/),
    ...ofPackage('onnxruntime-web/wasm', 'ort', /^(ort\.wasm\.min\.mjs|ort-wasm-simd-threaded\.(mjs|wasm))$/),
    ...ofPackage('@litertjs/core', 'litert', /^litert_wasm_internal\.wasm$/, '../wasm'),
    ...ofPackage('h5wasm', 'h5wasm', /^(hdf5_hl|hdf5_util|file_handlers)\.js$/, '../esm'),
  ])
}

/** What onnxruntime-web needs besides on WebGPU, which the workbench does not use. */
const gpuFiles = (): PathFiles =>
  new Map(
    ofPackage('onnxruntime-web/wasm', 'ort', /^(ort\.webgpu\.min\.mjs|ort-wasm-simd-threaded\.asyncify\.(mjs|wasm))$/),
  )

/** The sample model, which the page offers to who has none. */
export const sampleFiles = (): PathFiles =>
  new Map(
    matching(
      join(packageFolder(), 'fixtures/zh-news'),
      'sample',
      /^(albert_config\.json|labels\.txt|vocab\.txt|model\.ckpt\..*)$/,
    ),
  )

/** Files of the demo alone. */
const DEMO = /^demo\.(html|js|css)$|^place\.json$/
/** Files of the workbench alone. */
const WORKBENCH = /^(index\.html|workbench\.js|albertkit\.js)$|^sample\//

/**
 * Files of dist/web by their paths in it.
 * @throws AlbertkitError `environment` if this installation lacks the pages
 */
function builtFiles(): readonly (readonly [path: string, file: string])[] {
  const folder = join(packageFolder(), 'dist/web')
  if (!existsSync(join(folder, 'albertkit-worker.js')))
    throw environment('the pages are missing from this installation', {
      code: 'installation-damaged',
      hint: 'npm run build',
    })
  return filesBelow(folder)
    .filter((path) => !path.endsWith('.d.ts'))
    .map((path) => [path.slice(folder.length + 1).replaceAll('\\', '/'), path] as const)
}

/**
 * Files of the workbench: the page, albertkit's worker, and the runtimes.
 * @throws AlbertkitError `environment` if this installation lacks the page
 */
export const workbenchFiles = (): PathFiles =>
  new Map([
    ...builtFiles().filter(([path]) => !DEMO.test(path)),
    ...[...runtimeFiles()].map(([path, file]) => [`runtimes/${path}`, file] as const),
    ...sampleFiles(),
  ])

/** Folders of runtimes that each target is run by. */
const RUNTIMES: Readonly<Record<GraphTarget, string>> = { tfjs: 'tfjs', onnx: 'ort', tflite: 'litert' }

/**
 * Files of the page for the artefacts of a folder, which stands beside them.
 * @param targets whose runtimes are needed; none needs all: a model is converted in the page
 * @throws AlbertkitError `environment` if this installation lacks the page
 */
export function demoFiles(targets: readonly GraphTarget[]): PathFiles {
  const needed = (targets.length === 0 ? GRAPH_TARGETS : targets).map((target) => RUNTIMES[target])
  const isNeeded = (path: string): boolean => needed.includes(path.split('/')[0] ?? '')
  // What was put there by `npm run build:web` comes from the packages.
  const built = builtFiles()
  const own = built.filter(([path]) => !WORKBENCH.test(path) && !path.startsWith('runtimes/'))
  const bundled = built.filter(([path]) => /^runtimes\/.*\.js$/.test(path))
  const runtimes = new Map([
    ...bundled.map(([path, file]) => [path.slice('runtimes/'.length), file] as const),
    ...runtimeFiles(),
    ...gpuFiles(),
  ])
  return new Map([
    ['THIRD-PARTY.txt', join(packageFolder(), 'dist/THIRD-PARTY.txt')] as const,
    ...own.map(([path, file]) => [path === 'demo.html' ? 'index.html' : path, file] as const),
    ...[...runtimes].filter(([path]) => isNeeded(path)).map(([path, file]) => [`runtimes/${path}`, file] as const),
  ])
}
