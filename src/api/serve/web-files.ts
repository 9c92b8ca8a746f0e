import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { environment } from '../../base/errors.js'
import { findPackage } from '../../base/optional-package.js'
import { packageFolder } from '../../base/version.js'

/** Files by their paths below the page's address. */
export type WebFiles = ReadonlyMap<string, string>

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
export function runtimeFiles(): WebFiles {
  const tfjs = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))
  return new Map([
    ...matching(tfjs, 'tfjs', /^tfjs-backend-wasm(-simd)?\.wasm$/),
    ...ofPackage('onnxruntime-web/wasm', 'ort', /^(ort\.wasm\.min\.mjs|ort-wasm-simd-threaded\.(mjs|wasm))$/),
    ...ofPackage('@litertjs/core', 'litert', /^litert_wasm_internal\.wasm$/, '../wasm'),
    ...ofPackage('h5wasm', 'h5wasm', /^(hdf5_hl|hdf5_util|file_handlers)\.js$/, '../esm'),
  ])
}

/** The sample model, which the page offers to who has none. */
export const sampleFiles = (): WebFiles =>
  new Map(
    matching(
      join(packageFolder(), 'fixtures/zh-news'),
      'sample',
      /^(albert_config\.json|labels\.txt|vocab\.txt|model\.ckpt\..*)$/,
    ),
  )

/**
 * Files of the workbench: the page, albertkit's worker, and the runtimes.
 * @throws AlbertkitError `environment` if this installation lacks the page
 */
export function workbenchFiles(): WebFiles {
  const folder = join(packageFolder(), 'dist/web')
  if (!existsSync(join(folder, 'albertkit-worker.js')))
    throw environment('the workbench is missing from this installation', {
      code: 'installation-damaged',
      hint: 'npm run build',
    })
  const own = filesBelow(folder)
    .filter((path) => !path.endsWith('.d.ts'))
    .map((path) => [path.slice(folder.length + 1).replaceAll('\\', '/'), path] as const)
  return new Map([
    ...own,
    ...[...runtimeFiles()].map(([path, file]) => [`runtimes/${path}`, file] as const),
    ...sampleFiles(),
  ])
}
