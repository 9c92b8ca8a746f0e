/// <reference lib="dom" />
import type { InspectOptions, InspectReport } from '../../api/inspect/report.js'
import { interruption, type Abortable, type OnProgress } from '../../base/abort.js'
import { Conversation, type AskOptions } from './conversation.js'
import { gather, type Gathered, type ModelInput } from './gather.js'
import type { Operations } from './operations.js'
import type { KitFile, OperationName } from './protocol.js'
import { writeInto, zipStream, type SaveOptions } from './save.js'

export type { SaveOptions } from './save.js'

export interface KitOptions {
  /** Makes the worker; by default `albertkit-worker.js` beside this module. */
  readonly worker?: () => Worker
  /** Address of the folder of the runtimes, which `verifyModel` loads; by default `runtimes/` beside this module. */
  readonly runtimes?: string | URL
}

export interface AddOptions {
  /** Path of the model from now on; by default the name of the file or folder. */
  readonly name?: string
}

/**
 * albertkit in a browser: the functions of the library, run in a worker on files of the page. Paths are those that
 * `add` gives, and of what `convertModel` writes, which the worker keeps until `remove`.
 */
export interface Kit extends Operations, Disposable {
  /**
   * Makes files readable; nothing is copied or uploaded. @returns their path
   * @throws AlbertkitError `usage` if there are none
   */
  add(input: ModelInput, options?: AddOptions): Promise<string>
  inspectModel(path: string, options?: InspectOptions & Abortable): Promise<InspectReport>
  /** Forgets what `add` gave, or removes what was written. */
  remove(path: string): Promise<void>
  /** Files below a folder, by their paths in it. @throws AlbertkitError `malformed` if there is no such folder */
  files(path: string): Promise<readonly KitFile[]>
  /** Reads a part of a file; fewer bytes at its end only. */
  read(path: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>
  /** A folder as a zip archive, made while it is read. @throws AlbertkitError `output` beyond 4 GB */
  zip(path: string, options?: SaveOptions): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>
  /** Writes a folder into one of the user's. */
  save(path: string, into: FileSystemDirectoryHandle, options?: SaveOptions): Promise<void>
  /** Ends the worker; what was written and not saved is gone. */
  close(): void
}

const startWorker = (): Worker => new Worker(new URL('./albertkit-worker.js', import.meta.url), { type: 'module' })

/** The options among the values of a call: functions and signals stay here, the rest goes to the worker. */
function splitOptions(values: readonly unknown[]): { sent: readonly unknown[]; own: AskOptions } {
  const own: { signal?: AbortSignal; onProgress?: OnProgress } = {}
  const sent = values.map((value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    const { signal, onProgress, ...rest } = value as AskOptions & Record<string, unknown>
    if (signal !== undefined) own.signal = signal
    if (onProgress !== undefined) own.onProgress = onProgress
    return rest
  })
  return { sent, own }
}

/** Starts albertkit in a worker of this page. */
export function openKit({ worker = startWorker, runtimes }: KitOptions = {}): Kit {
  const mounted = new Map<string, Gathered>()
  const place = new URL(runtimes ?? './runtimes/', runtimes === undefined ? import.meta.url : globalThis.location.href)
  const talk = new Conversation(worker, () => [
    { ask: 'start', runtimes: place.href },
    // A worker that takes another's place reads the same files.
    ...[...mounted.values()].map((files) => ({ ask: 'mount', ...files }) as const),
  ])
  const run =
    (operation: OperationName) =>
    (...values: readonly unknown[]): Promise<never> => {
      const { sent, own } = splitOptions(values)
      return talk.ask({ ask: 'run', operation, values: sent }, own) as Promise<never>
    }

  const free = (name: string): string => {
    for (let n = 1; ; n++) {
      const candidate = n === 1 ? name : `${name} (${n})`
      if (!mounted.has(candidate)) return candidate
    }
  }

  const kit: Kit = {
    inspectModel: run('inspectModel'),
    countModels: run('countModels'),
    analyseWeights: run('analyseWeights'),
    diffModels: run('diffModels'),
    convertModel: run('convertModel'),
    verifyModel: run('verifyModel'),
    tokenizeTexts: run('tokenizeTexts'),
    describeArtefacts: run('describeArtefacts'),
    readText: run('readText'),
    textLayers: run('textLayers'),
    async add(input, { name } = {}) {
      const found = await gather(input, name)
      const files = { ...found, name: free(found.name) }
      await talk.ask({ ask: 'mount', ...files })
      mounted.set(files.name, files)
      return files.name
    },
    async remove(path) {
      mounted.delete(path)
      await talk.ask({ ask: 'remove', path })
    },
    files: (path) => talk.ask({ ask: 'list', path }) as Promise<KitFile[]>,
    read: (path, offset, length) => talk.ask({ ask: 'read', path, offset, length }) as Promise<Uint8Array<ArrayBuffer>>,
    zip: (path, options) => zipStream(talk, path, options),
    save: (path, into, options) => writeInto(talk, path, into, options),
    close: () => {
      talk.end(interruption(undefined))
    },
    [Symbol.dispose]: () => {
      kit.close()
    },
  }
  return kit
}
