import type { CompiledModel } from '@litertjs/core'
import { malformed } from '../../base/errors.js'
import type { ModelInputs } from '../../model/reference/run.js'
import { firstLine, runError, type NamedTensor, type Runner } from '../runner.js'
import { NO_VALUES, type InnerValues } from '../values.js'
import { TfliteFile } from './file.js'
import { loadLiteRt, type LoadedLiteRt } from './load.js'
import { dimsOf, runRows, type Feeds, type FixedShape } from './rows.js'

/** Models of a file without a fixed length that are kept, one a length. */
const KEPT_LENGTHS = 4

class LiteRtRunner implements Runner {
  readonly name = 'litert'
  readonly detail: string
  readonly adapter = null
  readonly outputs: readonly string[]
  readonly marks: readonly string[]
  readonly inner: readonly string[]
  readonly sequence?: number
  /** By length, the one used last at the end. */
  readonly #models = new Map<number, CompiledModel>()

  constructor(
    readonly loaded: LoadedLiteRt,
    readonly file: TfliteFile,
    readonly values: InnerValues,
  ) {
    this.detail = loaded.detail
    this.outputs = file.outputs
    this.marks = values.marks
    this.inner = Object.keys(values.inner)
    if (file.sequence !== null) this.sequence = file.sequence
  }

  /** Loads the file for a shape. @throws AlbertkitError `malformed` if the runtime rejects it */
  async model(shape: FixedShape): Promise<CompiledModel> {
    let model = this.#models.get(shape.sequence)
    this.#models.delete(shape.sequence)
    const { litert, printed } = this.loaded
    try {
      printed()
      model ??= await litert.loadAndCompile(this.file.bytesFor(shape), { accelerator: 'wasm' })
    } catch (error) {
      throw malformed(`LiteRT does not load the model: ${reasonOf(printed(), error)}`, {
        code: 'artefact-rejected',
        file: this.file.path,
        cause: error,
      })
    }
    this.#models.set(shape.sequence, model)
    const [oldest] = this.#models
    if (this.#models.size > KEPT_LENGTHS && oldest !== undefined) {
      oldest[1].delete()
      this.#models.delete(oldest[0])
    }
    return model
  }

  async run(inputs: ModelInputs, wanted: readonly string[] = this.outputs): Promise<Map<string, NamedTensor>> {
    const shape = this.file.shapeFor(inputs)
    const model = await this.model(shape)
    const tensors = new Map(wanted.map((name) => [name, this.values.inner[name] ?? name]))
    try {
      return await runRows(inputs, shape, (feeds) => this.#once(model, feeds, shape, tensors))
    } catch (error) {
      throw runError('LiteRT', reasonOf(this.loaded.printed(), error), this.file.path, error)
    }
  }

  /** One run. @param tensors names in the file of the requested values */
  async #once(
    model: CompiledModel,
    feeds: Feeds,
    shape: FixedShape,
    tensors: ReadonlyMap<string, string>,
  ): Promise<Map<string, NamedTensor>> {
    const { Tensor } = this.loaded.litert
    const dims = dimsOf(shape)
    const given = Object.fromEntries(Object.entries(feeds).map(([name, ids]) => [name, new Tensor(ids, dims)]))
    const results = await model.run(given)
    try {
      return new Map(
        [...tensors].flatMap(([name, tensor]) => {
          const result = results[tensor]
          if (result === undefined) return []
          const own = Array.from(result.type.layout.dimensions)
          return [[name, { shape: own, data: Float32Array.from(result.toTypedArray()) }] as const]
        }),
      )
    } finally {
      for (const tensor of [...Object.values(given), ...Object.values(results)]) tensor.delete()
    }
  }

  close(): Promise<void> {
    for (const model of this.#models.values()) model.delete()
    this.#models.clear()
    return Promise.resolve()
  }
}

/** Error that the library printed, else the message of the exception. */
const reasonOf = (printed: readonly string[], error: unknown): string =>
  printed.find((line) => line.startsWith('ERROR'))?.replace(/^ERROR: (\[[^\]]*\] ?)?/, '') ?? firstLine(error)

/**
 * Loads a TensorFlow Lite file in LiteRT's wasm runtime.
 * @throws AlbertkitError `environment` if @litertjs/core is not installed, `malformed` if the file does not load
 */
export async function openLiteRt(file: string, values: InnerValues = NO_VALUES): Promise<Runner> {
  const loaded = await loadLiteRt()
  const runner = new LiteRtRunner(loaded, new TfliteFile(file, values), values)
  if (runner.sequence !== undefined) await runner.model({ batch: 1, sequence: runner.sequence, choices: false })
  return runner
}
