import type { FilePort } from '../core/file-port.js'
import { RangedFile, withFile } from '../core/file.js'
import { DTYPE_BYTES, elementCount, type DType, type TensorInfo, type TensorSource } from '../core/source.js'
import { tflite } from '../../proto/tflite.js'
import { malformed, type AlbertkitError } from '../../base/errors.js'
import { readHead, type TfliteHead, type TfliteTensor } from './head.js'
import { readIntegers } from './integers.js'

/** Weights of a TensorFlow Lite file as tensors, by ranged reads; integers with scales are given as float32. */

const { TensorType } = tflite

const DTYPES: Readonly<Partial<Record<tflite.TensorType, DType>>> = {
  [TensorType.FLOAT32]: 'F32',
  [TensorType.FLOAT16]: 'F16',
  [TensorType.INT32]: 'I32',
  [TensorType.INT64]: 'I64',
  [TensorType.BOOL]: 'BOOL',
  [TensorType.INT8]: 'I8',
}

interface LocatedTensor {
  readonly info: TensorInfo
  readonly tensor: TfliteTensor
  readonly offset: number
}

/** Bytes that a tensor takes in the file. */
function storedBytes({ type, dims }: TfliteTensor): number {
  const count = elementCount(dims)
  return type === TensorType.INT4 ? Math.ceil(count / 2) : count * DTYPE_BYTES[DTYPES[type] ?? 'OTHER']
}

const isQuantised = ({ type, quantization }: TfliteTensor): boolean =>
  quantization !== null && (type === TensorType.INT8 || type === TensorType.INT4)

/** Step of element `i`: the scale of its index along the quantised axis. */
function stepOf({ dims, quantization }: TfliteTensor): (i: number) => number {
  const { scales, dimension } = quantization!
  const inner = elementCount(dims.slice(dimension + 1))
  return (i) => (scales.length === 1 ? scales[0]! : scales[Math.floor(i / inner) % scales.length]!)
}

const malformedTensor = (file: string, tensor: string, offset: number, problem: string): AlbertkitError =>
  malformed(`tensor ${tensor} ${problem}`, { code: 'range-invalid', file, tensor, offset })

class TfliteWeights implements TensorSource {
  readonly format = 'tflite'
  readonly notes: readonly string[] = []
  readonly files: readonly string[]
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly metadata: ReadonlyMap<string, string>
  readonly #file: RangedFile
  readonly #placed = new Map<string, LocatedTensor>()

  constructor(files: FilePort, path: string) {
    this.#file = new RangedFile(files, path)
    this.files = [path]
    try {
      const head = readHead(this.#file)
      this.metadata = head.metadata
      for (const tensor of head.tensors) this.#place(tensor)
    } catch (error) {
      this.close()
      throw error
    }
    this.tensors = new Map([...this.#placed].map(([name, { info }]) => [name, info]))
  }

  #place(tensor: TfliteTensor): void {
    const { name, dims, bytes, type } = tensor
    if (bytes === null) return
    const quantised = isQuantised(tensor)
    const dtype = quantised ? 'F32' : (DTYPES[type] ?? 'OTHER')
    const needed = storedBytes(tensor)
    const known = DTYPES[type] !== undefined || type === TensorType.INT4
    if (known && bytes.length !== needed)
      throw malformedTensor(
        this.#file.path,
        name,
        bytes.offset,
        `has ${bytes.length} bytes, but its shape takes ${needed}`,
      )
    const info: TensorInfo = {
      name,
      dtype,
      shape: dims,
      byteLength: quantised ? elementCount(dims) * 4 : bytes.length,
      file: this.#file.path,
      ...(quantised ? { stepAt: stepOf(tensor) } : {}),
    }
    if (this.#placed.has(name)) throw malformedTensor(this.#file.path, name, bytes.offset, 'stands there twice')
    this.#placed.set(name, { info, tensor, offset: bytes.offset })
  }

  read(name: string, offset: number, target: Uint8Array): void {
    const placed = this.#placed.get(name)
    if (placed === undefined) throw new RangeError(`no tensor named ${name}`)
    const { info, tensor } = placed
    if (offset < 0 || offset + target.length > info.byteLength)
      throw new RangeError(`${name}: range outside the tensor`)
    if (info.stepAt === undefined) this.#file.read(placed.offset + offset, target)
    else readIntegers(this.#file, placed.offset, tensor.type === TensorType.INT4 ? 4 : 8, { offset, target, stepAt: info.stepAt }) // prettier-ignore
  }

  verifyChecksum(): void {
    return
  }

  close(): void {
    this.#file.close()
  }
}

/**
 * Opens the weights of a TensorFlow Lite file.
 * @throws AlbertkitError `malformed` if it cannot be parsed
 */
export const openTfliteWeights = (files: FilePort, path: string): TensorSource => new TfliteWeights(files, path)

/** Head of a file. @throws AlbertkitError `malformed` if it cannot be parsed */
export const tfliteHead = (files: FilePort, path: string): TfliteHead => withFile(files, path, readHead)

/** Names of the values that the graph computes. */
export function tfliteGraphNames(
  files: FilePort,
  path: string,
): {
  readonly values: readonly string[]
  readonly outputs: readonly string[]
  readonly metadata: ReadonlyMap<string, string>
} {
  const { tensors, inputs, outputs, metadata } = tfliteHead(files, path)
  const given = new Set(inputs.values())
  return {
    values: tensors.filter((tensor) => tensor.bytes === null && !given.has(tensor)).map(({ name }) => name),
    outputs: [...outputs.keys()],
    metadata,
  }
}

/** Tokens of a row; null if any number will do or the file has other inputs. @throws AlbertkitError `malformed` */
export function tfliteLength(files: FilePort, path: string): number | null {
  const length = tfliteHead(files, path).inputs.get('input_ids')?.dims.at(-1)
  return length === undefined || length < 0 ? null : length
}
