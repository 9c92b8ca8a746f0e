import { malformed, type AlbertkitError } from '../../base/errors.js'
import * as z from '../../vendor/zod.js'
import { confined } from '../core/confined.js'
import type { FilePort } from '../core/file-port.js'
import { RangedFile, readText } from '../core/file.js'
import { limitError, MAX_RANK, MAX_SHARDS, NameBudget } from '../core/limits.js'
import { basename, dirname, join } from '../core/paths.js'
import { metadataIn } from './metadata.js'
import { DTYPE_BYTES, elementCount, type DType, type TensorInfo, type TensorSource } from '../core/source.js'

/** Weights of a tfjs graph model: `model.json` lists them, the shards hold them one after the other. */

/**
 * Weights of a graph model. The attack: 100,000 empty ones, some 40 bytes of text and a kilobyte of objects each. A
 * model has up to 20,000 parameters (`names/identify.ts`), BERT-large 400.
 */
const MAX_WEIGHTS = 30_000

// Weights are looked at one after the other: a checked copy of all would take their memory twice.
const MANIFEST = z.object({
  format: z.literal('graph-model'),
  weightsManifest: z.array(z.object({ paths: z.array(z.string()), weights: z.array(z.unknown()) })),
})
const WEIGHT = z.object({
  name: z.string(),
  shape: z.array(z.int().check(z.gte(0))),
  dtype: z.oneOf(['float32', 'int32', 'bool']),
  quantization: z.optional(
    z.object({
      dtype: z.oneOf(['float16', 'uint8', 'uint16']),
      scale: z.optional(z.number()),
      min: z.optional(z.number()),
    }),
  ),
})
type Weight = z.Infer<typeof WEIGHT>
const DTYPES: Readonly<Record<string, { dtype: DType; bytes: number }>> = {
  float32: { dtype: 'F32', bytes: 4 },
  int32: { dtype: 'I32', bytes: 4 },
  bool: { dtype: 'BOOL', bytes: 1 },
}

interface LocatedTensor extends TensorInfo {
  /** Offset in the concatenated shards of the group. */
  readonly offset: number
  readonly group: Group
  /** Bytes of an element in the file. */
  readonly width: number
  /** Scale and minimum of quantised integers; null if values are not quantised. */
  readonly affine: { readonly scale: number; readonly min: number } | null
}

interface Group {
  readonly shards: readonly RangedFile[]
}

interface Manifest {
  readonly groups: z.Infer<typeof MANIFEST>['weightsManifest']
  readonly metadata: ReadonlyMap<string, string>
}

function readManifest(files: FilePort, path: string): Manifest {
  const text = readText(files, path)
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw malformed(`not JSON (${(error as Error).message})`, { code: 'header-invalid', file: path })
  }
  const parsed = MANIFEST.safeParse(json)
  if (parsed.success) return { groups: parsed.data.weightsManifest, metadata: metadataIn(json) }
  throw invalid(path, parsed.error.issues[0]?.path ?? [])
}

/** What is wrong with `model.json`, by the path of the field. */
function invalid(file: string, path: readonly PropertyKey[]): AlbertkitError {
  const field = path.join('.')
  if (field === '') return malformed('not a tfjs graph model: not a JSON object', { code: 'header-invalid', file })
  return malformed(`not a tfjs graph model: ${field} is missing or invalid`, { code: 'header-invalid', file, field })
}

/** @throws AlbertkitError `malformed` */
function readWeight(value: unknown, file: string, path: readonly PropertyKey[]): Weight {
  const parsed = WEIGHT.safeParse(value)
  if (parsed.success) return parsed.data
  throw invalid(file, [...path, ...(parsed.error.issues[0]?.path ?? [])])
}

/** A weight as `read` gives it: float16 unchanged, quantised weights as the float32 that tfjs computes from them. */
function placeOf(
  { name, shape, dtype, quantization }: Weight,
  path: string,
): Omit<LocatedTensor, 'file' | 'offset' | 'group'> {
  const type = DTYPES[dtype] ?? { dtype: 'OTHER', bytes: 0 }
  const given = (given: DType, width: number, affine: LocatedTensor['affine'] = null) => ({
    name,
    shape,
    dtype: given,
    byteLength: elementCount(shape) * DTYPE_BYTES[given],
    width,
    affine,
  })
  if (quantization === undefined) return given(type.dtype, type.bytes)
  if (dtype !== 'float32')
    throw malformed(`a quantised weight of ${dtype}`, { code: 'value-invalid', file: path, tensor: name })
  if (quantization.dtype === 'float16') return given('F16', 2)
  const { scale, min } = quantization
  if (scale === undefined || min === undefined)
    throw malformed('the quantised weight has no scale or min', { code: 'header-invalid', file: path, tensor: name })
  return { ...given('F32', quantization.dtype === 'uint8' ? 1 : 2, { scale, min }), stepAt: () => scale }
}

class TfjsWeights implements TensorSource {
  readonly format = 'tfjs'
  readonly notes: readonly string[] = []
  readonly metadata: ReadonlyMap<string, string>
  readonly files: readonly string[]
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly #placed = new Map<string, LocatedTensor>()
  readonly #shards: RangedFile[] = []

  readonly #names: NameBudget

  constructor(
    readonly port: FilePort,
    path: string,
  ) {
    this.#names = new NameBudget(limitError(path))
    try {
      const { groups, metadata } = readManifest(port, path)
      this.metadata = metadata
      const count = groups.reduce((sum, { weights }) => sum + weights.length, 0)
      if (count > MAX_WEIGHTS)
        throw limitError(path)(`the model lists more than ${MAX_WEIGHTS} weights`, 'limit-exceeded')
      groups.forEach(({ paths, weights }, i) => {
        this.#addGroup(path, paths, weights, ['weightsManifest', i, 'weights'])
      })
    } catch (error) {
      this.close()
      throw error
    }
    this.files = [path, ...this.#shards.map((shard) => shard.path)]
    this.tensors = this.#placed
  }

  #addGroup(path: string, paths: readonly string[], weights: readonly unknown[], field: readonly PropertyKey[]): void {
    const shards = paths.map((name) => {
      if (this.#shards.length >= MAX_SHARDS)
        throw limitError(path)(`the weights lie in more than ${MAX_SHARDS} files`, 'limit-exceeded')
      if (name !== basename(name) || name === '..')
        throw malformed(`names the shard ${name} outside its own directory`, { code: 'path-escapes', file: path })
      const shard = new RangedFile(confined(this.port, [dirname(path)]), join(dirname(path), name))
      this.#shards.push(shard)
      return shard
    })
    const group = { shards }
    let offset = 0
    for (const [i, listed] of weights.entries()) {
      const weight = readWeight(listed, path, [...field, i])
      const { name, shape } = weight
      this.#names.add(name.length)
      if (shape.length > MAX_RANK) throw limitError(path)(`a weight has ${shape.length} axes`, 'limit-exceeded')
      const placed = { ...placeOf(weight, path), file: path, offset, group }
      this.#placed.set(name, placed)
      offset += placed.width * elementCount(shape)
    }
    const size = shards.reduce((n, shard) => n + shard.size, 0)
    if (size !== offset)
      throw malformed(`the shards have ${size} bytes, but the weights take ${offset}`, {
        code: size < offset ? 'file-truncated' : 'range-invalid',
        file: path,
      })
  }

  read(name: string, offset: number, target: Uint8Array): void {
    const placed = this.#placed.get(name)
    if (placed === undefined) throw new RangeError(`no weight named ${name}`)
    if (offset < 0 || offset + target.length > placed.byteLength)
      throw new RangeError(`${name}: range outside the tensor`)
    if (placed.affine === null) this.#read(placed.group, placed.offset + offset, target)
    else this.#readAffine(placed, placed.affine, offset, target)
  }

  #readAffine(
    { group, offset: begin, width }: LocatedTensor,
    { scale, min }: NonNullable<LocatedTensor['affine']>,
    offset: number,
    target: Uint8Array,
  ): void {
    if (offset % 4 !== 0 || target.length % 4 !== 0 || target.byteOffset % 4 !== 0)
      throw new RangeError('whole floats only')
    const values = new Float32Array(target.buffer, target.byteOffset, target.length / 4)
    const raw = new Uint8Array(values.length * width)
    this.#read(group, begin + (offset / 4) * width, raw)
    const integers = width === 1 ? raw : new Uint16Array(raw.buffer)
    for (let i = 0; i < values.length; i++) values[i] = integers[i]! * scale + min
  }

  /** Reads bytes of the concatenated shards. */
  #read({ shards }: Group, from: number, target: Uint8Array): void {
    let start = from
    let done = 0
    for (const shard of shards) {
      if (done === target.length) return
      if (start < shard.size) {
        const length = Math.min(shard.size - start, target.length - done)
        shard.read(start, target.subarray(done, done + length))
        done += length
        start = 0
      } else start -= shard.size
    }
  }

  verifyChecksum(): void {
    return
  }

  close(): void {
    for (const shard of this.#shards) shard.close()
  }
}

/**
 * Opens the weights of a tfjs graph model.
 * @throws AlbertkitError `malformed` if model.json or a shard is invalid
 */
export const openTfjsWeights = (files: FilePort, modelJson: string): TensorSource => new TfjsWeights(files, modelJson)
