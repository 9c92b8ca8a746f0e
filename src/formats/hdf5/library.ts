import { utf8Text } from '../../base/bytes.js'
import { AlbertkitError, environment, malformed } from '../../base/errors.js'
import { installCommand } from '../../base/install-command.js'
import type { FilePort } from '../core/file-port.js'
import { contained, DeadlineError, withMemoryLimit } from '../core/contained.js'
import { PortFiles, type EmscriptenFiles } from './port-files.js'

/**
 * h5wasm, the HDF5 library compiled to WebAssembly, in the build that runs everywhere. It reads files of a port by
 * ranges (port-files.ts), and its error output becomes part of an AlbertkitError.
 */

/** H5T_class_t: kinds of element types. */
export const CLASS = { integer: 0, float: 1, string: 3, opaque: 5, enum: 8 } as const

export interface Hdf5Metadata {
  readonly type: number
  /** Bytes of an element. */
  readonly size: number
  readonly signed: boolean
  /** Null of a dataset that has no extent at all. */
  readonly shape: readonly number[] | null
  readonly chunks: readonly number[] | null
  readonly virtual_sources?: readonly unknown[]
}

/** The functions of the compiled library that are used here. */
interface Module {
  open(path: string, mode: 0, trackOrder: boolean, low: number, high: number): bigint
  close_file(file: bigint): number
  get_names(file: bigint, path: string, recursive: boolean): string[]
  get_type(file: bigint, path: string): number
  get_attribute_names(file: bigint, path: string): string[]
  get_attribute_metadata(
    file: bigint,
    path: string,
    name: string,
  ): { type: number; size: number; total_size: number; vlen: boolean }
  get_attribute_data(file: bigint, path: string, name: string, target: bigint): number
  get_dataset_metadata(file: bigint, path: string): Hdf5Metadata
  get_dataset_filters(file: bigint, path: string): readonly { readonly id: number; readonly name: string }[]
  get_dataset_data(
    file: bigint,
    path: string,
    count: bigint[] | null,
    offset: bigint[] | null,
    strides: bigint[] | null,
    target: bigint,
  ): number
  _malloc(bytes: number): number
  _free(pointer: number): void
  readonly HEAPU8: Uint8Array
  readonly H5G_GROUP: number
  readonly H5G_DATASET: number
  readonly H5F_LIBVER_EARLIEST: number
  readonly H5F_LIBVER_LATEST: number
  readonly FS: EmscriptenFiles
}

/** A file that the library has open. */
export interface LibraryFile {
  readonly id: bigint
  readonly size: number
  /** Its path in the library's own file system. */
  readonly inner: string
}

/**
 * Time of one call, or of going through a file: the library can be made to loop for ever. To list BERT-large takes 0.3
 * seconds, to read a piece a hundredth.
 */
const DEADLINE_MS = 5000
/** Bytes of memory of the library: a chunk in its stored and in its unpacked form, and its caches. */
const MAX_MEMORY = 256 * 1024 * 1024
/** Limit of the library's error output in characters; it may be long, and only the innermost line is the reason. */
const MAX_TALK = 64 * 1024

export class Hdf5Library {
  readonly #module: Module
  readonly #files: PortFiles
  #talk = ''
  #broken = false

  constructor(module: Module) {
    this.#module = module
    this.#files = new PortFiles(module.FS)
    module.FS.write = (_, buffer, offset, length) => {
      if (this.#talk.length < MAX_TALK) this.#talk += utf8Text(buffer.subarray(offset, offset + length))
      return length
    }
  }

  /** The innermost line of what the library printed: `bad superblock version number`. */
  #reason(error: unknown): string {
    const lines = [...this.#talk.matchAll(/^ +#\d+: .* in \w+\(\): (.*)$/gm)].map((match) => match[1] ?? '')
    const said = lines[lines.length - 1]
    if (said !== undefined) return said
    return error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'it cannot be read'
  }

  /**
   * Calls the library; any failure is reported as a damaged file.
   * @param failed true for a result that means failure
   */
  call<T>(
    what: string,
    place: { file: string; tensor?: string },
    run: (module: Module) => T,
    failed?: (result: T) => boolean,
  ): T {
    const fail = (error: unknown): AlbertkitError => {
      const { failure } = this.#files
      if (failure instanceof AlbertkitError) return failure
      return malformed(`${what}: ${this.#reason(error)}`, {
        code: 'header-invalid',
        ...place,
        hint: 'the file is damaged or cut off: fetch it again',
        ...(error === undefined ? {} : { cause: error }),
      })
    }
    if (this.#broken)
      throw environment('the HDF5 library stopped at a damaged file before', {
        code: 'process-failed',
        ...place,
        hint: 'open the file again',
      })
    this.#talk = ''
    this.#files.failure = null
    this.#files.longestRun = 0
    let result: T
    try {
      result = run(this.#module)
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) this.#giveUp()
      throw fail(error)
    }
    if (failed?.(result) === true) throw fail(undefined)
    return result
  }

  /** Bytes of the longest run of a file that the last call read; 0 if the library had all in memory. */
  get longestRun(): number {
    return this.#files.longestRun
  }

  /** Never uses the library again, which may be in any state: the next file is read by another. */
  #giveUp(): void {
    this.#broken = true
    if (loaded === this) loading = loaded = null
  }

  /**
   * Runs calls of the library, with a limit of time and memory.
   * @throws AlbertkitError `malformed` if it does not return in time
   */
  contained<T>(place: { file: string; tensor?: string }, run: () => T): T {
    try {
      return withMemoryLimit(MAX_MEMORY, () => contained(run, DEADLINE_MS))
    } catch (error) {
      const isInterrupted = error instanceof AlbertkitError && error.kind === 'interrupted'
      if (isInterrupted || error instanceof DeadlineError) this.#giveUp()
      if (!(error instanceof DeadlineError)) throw error
      throw malformed('the HDF5 library found no end to it', {
        code: 'limit-exceeded',
        ...place,
        hint: 'the file is damaged: fetch it again',
        cause: error,
      })
    }
  }

  /** @throws AlbertkitError if the file cannot be opened or is no HDF5 file */
  openFile(files: FilePort, path: string): LibraryFile {
    const file = files.open(path)
    const inner = this.#files.add(file)
    try {
      const id = this.call(
        'the file is no HDF5 file that can be read',
        { file: path },
        (module) => module.open(inner, 0, false, module.H5F_LIBVER_EARLIEST, module.H5F_LIBVER_LATEST),
        (opened) => opened < 0n,
      )
      return { id, size: file.size, inner }
    } catch (error) {
      this.#files.remove(inner)
      throw error
    }
  }

  closeFile({ id, inner }: LibraryFile, buffer: number | null): void {
    try {
      if (this.#broken) return
      if (buffer !== null) this.#module._free(buffer)
      this.#module.close_file(id)
    } finally {
      this.#files.remove(inner)
    }
  }
}

let loading: Promise<Hdf5Library> | null = null
let loaded: Hdf5Library | null = null
/** Libraries that were loaded, each of which is another instance. */
let count = 0

/**
 * Loads the library, once, and again after a file at which it stopped.
 * @param file what is to be read, for the message
 * @throws AlbertkitError `environment` if h5wasm is not installed
 */
export function loadHdf5(file: string): Promise<Hdf5Library> {
  loading ??= load(file)
  return loading
}

async function load(file: string): Promise<Hdf5Library> {
  try {
    const { default: h5wasm } = await quietly(importLibrary)
    loaded = new Hdf5Library((await h5wasm.ready) as unknown as Module)
    return loaded
  } catch (error) {
    loading = null
    throw environment('reading HDF5 (.h5) needs the package h5wasm', {
      file,
      code: 'package-missing',
      hint: installCommand('h5wasm'),
      cause: error,
    })
  }
}

/** A module that is imported under another address is another instance, with separate memory. */
function importLibrary(): Promise<typeof import('h5wasm')> {
  if (++count === 1) return import('h5wasm')
  const again = `${import.meta.resolve('h5wasm')}?${count}`
  return import(/* @vite-ignore */ again) as Promise<typeof import('h5wasm')>
}

/**
 * Loads the compiled code with a silent console: it keeps the functions of that moment, and would warn of strings that
 * are not UTF-8 without naming the file; an AlbertkitError names it.
 */
async function quietly<T>(run: () => Promise<T>): Promise<T> {
  const { error } = console
  console.error = () => undefined
  try {
    return await run()
  } finally {
    console.error = error
  }
}
