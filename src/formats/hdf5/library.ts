import { environment, malformed, type AlbertkitError } from '../../base/errors.js'
import { installCommand } from '../../base/install-command.js'

/**
 * h5wasm, the HDF5 library compiled to WebAssembly. Under Node it reads files of the machine by ranges; here it sees the
 * files that were opened by name and nothing else (links and external storage lead nowhere), writes nothing, and what it
 * prints of its errors becomes part of ours.
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

interface Stream {
  readonly fd?: number
  readonly nfd?: number
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
  readonly FS: {
    open: (path: string, flags: unknown, mode?: unknown) => unknown
    write: (stream: Stream, buffer: Uint8Array, offset: number, length: number, position?: number) => number
  }
}

/** How emscripten says that there is no such file. */
class NoEntry extends Error {
  override readonly name = 'ErrnoError'
  readonly errno = 44
}

/** What the library says may be long; the innermost line is the reason. */
const MAX_TALK = 64 * 1024

export class Hdf5Library {
  readonly #module: Module
  readonly #allowed = new Map<string, number>()
  #talk = ''
  #broken = false

  constructor(module: Module) {
    this.#module = module
    const { FS } = module
    const open = FS.open
    FS.open = (path, flags, mode) => {
      if (!this.#allowed.has(path)) throw new NoEntry()
      return open(path, flags, mode)
    }
    FS.write = (_, buffer, offset, length) => {
      if (this.#talk.length < MAX_TALK)
        this.#talk += Buffer.from(buffer.subarray(offset, offset + length)).toString('utf8')
      return length
    }
  }

  /** The innermost line of what the library printed: `bad superblock version number`. */
  #reason(error: unknown): string {
    const lines = [...this.#talk.matchAll(/^\s+#\d+: .* in \w+\(\): (.*)$/gm)].map((match) => match[1] ?? '')
    const said = lines[lines.length - 1]
    if (said !== undefined) return said
    return error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'it cannot be read'
  }

  /**
   * Calls the library; whatever goes wrong in there is a damaged file, and says so.
   * @param failed whether the result is one that stands for a failure
   */
  call<T>(
    what: string,
    place: { file: string; tensor?: string },
    run: (module: Module) => T,
    failed?: (result: T) => boolean,
  ): T {
    const fail = (error: unknown): AlbertkitError =>
      malformed(`${what}: ${this.#reason(error)}`, {
        ...place,
        hint: 'the file is damaged or cut off: fetch it again',
        ...(error === undefined ? {} : { cause: error }),
      })
    if (this.#broken)
      throw environment('the HDF5 library stopped at a damaged file before', { ...place, hint: 'start anew' })
    this.#talk = ''
    let result: T
    try {
      result = run(this.#module)
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) this.#broken = true
      throw fail(error)
    }
    if (failed?.(result) === true) throw fail(undefined)
    return result
  }

  openFile(path: string): bigint {
    this.#allowed.set(path, (this.#allowed.get(path) ?? 0) + 1)
    try {
      return this.call(
        'the file is no HDF5 file that can be read',
        { file: path },
        (module) => module.open(path, 0, false, module.H5F_LIBVER_EARLIEST, module.H5F_LIBVER_LATEST),
        (id) => id < 0n,
      )
    } catch (error) {
      this.#forget(path)
      throw error
    }
  }

  closeFile(path: string, id: bigint, buffer: number | null): void {
    this.#forget(path)
    if (this.#broken) return
    if (buffer !== null) this.#module._free(buffer)
    this.#module.close_file(id)
  }

  #forget(path: string): void {
    const left = (this.#allowed.get(path) ?? 1) - 1
    if (left === 0) this.#allowed.delete(path)
    else this.#allowed.set(path, left)
  }
}

let loading: Promise<Hdf5Library> | null = null

/**
 * Loads the library, once.
 * @param file what is to be read, for the message
 * @throws AlbertkitError `environment` where h5wasm is not installed
 */
export function loadHdf5(file: string): Promise<Hdf5Library> {
  loading ??= load(file)
  return loading
}

async function load(file: string): Promise<Hdf5Library> {
  try {
    const { default: h5wasm } = await quietly(() => import('h5wasm/node'))
    return new Hdf5Library((await h5wasm.ready) as unknown as Module)
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

/**
 * The compiled code keeps the console's functions of the moment in which it is loaded, to warn of strings that are not
 * UTF-8. Which file that was in is for our errors to say.
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
