import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { malformed, unsupported } from '../errors.js'
import * as z from '../vendor/zod.js'
import { fileError, RangedFile } from './file.js'
import type { DType, TensorInfo, TensorSource } from './source.js'

/** The weights of a tfjs graph model: `model.json` lists them, the shards hold them one after the other. */

const MANIFEST = z.object({
  format: z.literal('graph-model'),
  weightsManifest: z.array(
    z.object({
      paths: z.array(z.string()),
      weights: z.array(
        z.object({
          name: z.string(),
          shape: z.array(z.int().check(z.gte(0))),
          dtype: z.oneOf(['float32', 'int32', 'bool']),
          quantization: z.optional(z.unknown()),
        }),
      ),
    }),
  ),
})
const DTYPES: Readonly<Record<string, { dtype: DType; bytes: number }>> = {
  float32: { dtype: 'F32', bytes: 4 },
  int32: { dtype: 'I32', bytes: 4 },
  bool: { dtype: 'BOOL', bytes: 1 },
}

interface Placed extends TensorInfo {
  /** Offset in the group's shards taken together. */
  readonly offset: number
  readonly group: Group
}

interface Group {
  readonly shards: readonly RangedFile[]
}

function readManifest(path: string): z.Infer<typeof MANIFEST>['weightsManifest'] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw fileError(error, path)
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw malformed(`not JSON (${(error as Error).message})`, { file: path })
  }
  const parsed = MANIFEST.safeParse(json)
  if (parsed.success) return parsed.data.weightsManifest
  const issue = parsed.error.issues[0]
  throw malformed(`not a tfjs graph model: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`, { file: path })
}

class TfjsWeights implements TensorSource {
  readonly format = 'tfjs'
  readonly notes: readonly string[] = []
  readonly files: readonly string[]
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly #placed = new Map<string, Placed>()
  readonly #shards: RangedFile[] = []

  constructor(path: string) {
    try {
      for (const { paths, weights } of readManifest(path)) this.#addGroup(path, paths, weights)
    } catch (error) {
      this.close()
      throw error
    }
    this.files = [path, ...this.#shards.map((shard) => shard.path)]
    this.tensors = this.#placed
  }

  #addGroup(
    path: string,
    paths: readonly string[],
    weights: z.Infer<typeof MANIFEST>['weightsManifest'][number]['weights'],
  ): void {
    const shards = paths.map((name) => {
      if (name !== basename(name) || name === '..')
        throw malformed(`names the shard ${name} outside its own directory`, { file: path })
      const shard = new RangedFile(join(dirname(path), name))
      this.#shards.push(shard)
      return shard
    })
    const group = { shards }
    let offset = 0
    for (const { name, shape, dtype, quantization } of weights) {
      if (quantization !== undefined) throw unsupported('the weight is quantised', { file: path, tensor: name })
      const type = DTYPES[dtype] ?? { dtype: 'OTHER', bytes: 0 }
      const byteLength = shape.reduce((n, d) => n * d, type.bytes)
      this.#placed.set(name, { name, dtype: type.dtype, shape, byteLength, file: path, offset, group })
      offset += byteLength
    }
    const size = shards.reduce((n, shard) => n + shard.size, 0)
    if (size !== offset)
      throw malformed(`the shards have ${size} bytes, but the weights take ${offset}`, { file: path })
  }

  read(name: string, offset: number, target: Uint8Array): void {
    const placed = this.#placed.get(name)
    if (placed === undefined) throw new RangeError(`no weight named ${name}`)
    if (offset < 0 || offset + target.length > placed.byteLength)
      throw new RangeError(`${name}: range outside the tensor`)
    let start = placed.offset + offset
    let done = 0
    for (const shard of placed.group.shards) {
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
 * @throws AlbertkitError `malformed` where model.json or a shard does not fit, `unsupported` for quantised weights
 */
export const openTfjsWeights = (modelJson: string): TensorSource => new TfjsWeights(modelJson)
