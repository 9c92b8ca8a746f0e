import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { compileFunction } from 'node:vm'
import { environment } from '../../base/errors.js'
import { installCommand } from '../../base/install-command.js'
import { findPackage, importOptional, named } from '../../base/optional-package.js'
import { keepPrinted } from './printed.js'
import { firstLine } from '../runner.js'

/** LiteRT's library for browsers (`@litertjs/core`), loaded in Node. */

export type LiteRt = typeof import('@litertjs/core')

export const PACKAGE = '@litertjs/core'

export interface LoadedLiteRt {
  readonly litert: LiteRt
  readonly detail: string
  /** Takes the lines that the library has printed since the last call: reasons of a failure are only there. */
  readonly printed: () => string[]
}

/** Folder of the package's wasm files. @throws AlbertkitError `environment` if it is not installed */
export function wasmFolder(what: string): string {
  const entry = findPackage(PACKAGE)
  if (entry !== null) return join(dirname(dirname(entry)), 'wasm')
  throw environment(`${what} needs the optional package ${PACKAGE}, which is not installed`, {
    code: 'package-missing',
    hint: installCommand(PACKAGE),
  })
}

/** A GPU that gives no device: asked for one that does not exist, the library would print a warning. */
const NO_GPU = {
  requestAdapter: () =>
    Promise.resolve({ limits: {}, features: new Set(), requestDevice: () => Promise.resolve(null) }),
}

/** Runs a script of the package, which makes `ModuleFactory`, as a module of Node. */
function runScript(file: string): unknown {
  const names = ['require', '__filename', '__dirname']
  const run = compileFunction(`${readFileSync(file, 'utf8')}\nreturn ModuleFactory`, names, { filename: file })
  return (run as (...args: unknown[]) => unknown)(createRequire(file), file, dirname(file))
}

/** Globals of a browser's worker that the library needs while it loads; removed afterwards. */
async function asWorker<T>(globals: Readonly<Record<string, unknown>>, body: () => Promise<T>): Promise<T> {
  const before = Object.keys(globals).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const)
  for (const [name, value] of Object.entries(globals))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true, enumerable: false })
  try {
    return await body()
  } finally {
    for (const [name, descriptor] of before) {
      if (descriptor === undefined) Reflect.deleteProperty(globalThis, name)
      else Object.defineProperty(globalThis, name, descriptor)
    }
  }
}

async function load(): Promise<LoadedLiteRt> {
  const litert = await importOptional<LiteRt>(PACKAGE, () => import('@litertjs/core'), 'litert')
  const folder = wasmFolder('litert')
  const { print, printed } = keepPrinted()
  const worker: Record<string, unknown> = { Module: { print, printErr: print } }
  const importScripts = (file: string): void => {
    worker.ModuleFactory = runScript(file)
  }
  try {
    await asWorker({ self: worker, importScripts, navigator: { gpu: NO_GPU } }, () => litert.loadLiteRt(folder))
  } catch (error) {
    throw environment(`${named(PACKAGE)} does not start in this Node: ${firstLine(error)}`, {
      code: 'package-missing',
      hint: 'use the runner of a browser, browser-litert-wasm',
      cause: error,
    })
  }
  return { litert, detail: `${named(PACKAGE)} (wasm)`, printed }
}

let loaded: Promise<LoadedLiteRt> | null = null

/**
 * Loads the library, once a process: it keeps its state in one place.
 * @throws AlbertkitError `environment` if it is not installed or does not start
 */
export function loadLiteRt(): Promise<LoadedLiteRt> {
  loaded ??= load().catch((error: unknown) => {
    loaded = null
    throw error
  })
  return loaded
}
