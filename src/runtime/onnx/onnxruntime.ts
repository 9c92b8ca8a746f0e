import { readFileSync, statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { InferenceSession, Tensor } from 'onnxruntime-node'
import { environment, malformed } from '../../base/errors.js'
import { inputShape, type ModelInputs } from '../../model/reference/run.js'
import type { Adapter } from '../gpu/adapter.js'
import { toInt64 } from './int64.js'
import { loadNative, loadOnnx, type Loaded, type Ort } from './load.js'
import type { Importer, OnnxPackage, Provider } from './packages.js'
import { dataBeside, withOutputs } from './onnx-outputs.js'
import { firstLine, runError, type NamedTensor, type Runner } from '../runner.js'
import { addedOutputs, type InnerValues } from '../values.js'

/** A model loaded in onnxruntime. */
interface OpenedSession extends Pick<Runner, 'name' | 'detail' | 'adapter' | 'outputs' | 'marks'> {
  readonly ort: Ort
  readonly session: InferenceSession
  readonly file: string
  /** Value names of the inner operations that were made available, by their paths. */
  readonly values: ReadonlyMap<string, string>
}

class OnnxRunner implements Runner {
  readonly name: string
  readonly detail: string
  readonly adapter: Adapter | null
  readonly outputs: readonly string[]
  readonly marks: readonly string[]
  readonly inner: readonly string[]

  constructor(readonly opened: OpenedSession) {
    ;({ name: this.name, detail: this.detail, adapter: this.adapter } = opened)
    ;({ outputs: this.outputs, marks: this.marks } = opened)
    this.inner = [...opened.values.keys()]
  }

  async run(inputs: ModelInputs, wanted: readonly string[] = this.outputs): Promise<Map<string, NamedTensor>> {
    const { ort, session, values, file } = this.opened
    const described = session.inputMetadata.find(({ name }) => name === 'input_ids')
    const dims = inputShape(inputs, described?.isTensor === true && described.shape.length === 3)
    const ids = (tokens: Int32Array): Tensor => new ort.Tensor('int64', toInt64(tokens), dims)
    const feeds = {
      input_ids: ids(inputs.input_ids),
      attention_mask: ids(inputs.attention_mask),
      token_type_ids: ids(inputs.token_type_ids),
    }
    try {
      // Two names may refer to one value, which is then fetched once.
      const fetched = new Set(wanted.map((name) => values.get(name) ?? name))
      const results = await session.run(feeds, [...fetched])
      return new Map(
        wanted.flatMap((name) => {
          const result = results[values.get(name) ?? name]
          return result === undefined ? [] : [[name, { shape: [...result.dims], data: result.data as Float32Array }]]
        }),
      )
    } catch (error) {
      throw runError('onnxruntime', firstLine(error), file, error)
    }
  }

  async close(): Promise<void> {
    await this.opened.session.release()
  }
}

/** Options of `openOnnx`; with inner values, the whole file is read into memory. */
export interface OnnxOptions extends Partial<InnerValues> {
  /** A GPU's execution provider instead of the CPU's. */
  readonly provider?: Provider
  /** Threads inside an operation; one by default, so that results are reproducible. */
  readonly threads?: number
  /** Package to use; the first that is installed by default. */
  readonly only?: OnnxPackage
  readonly importer?: Importer
  /** True for a few runs, for which memory counts more than speed. */
  readonly fewRuns?: boolean
}

/** Bytes of a model from which the memory of its packed weights counts. */
const LARGE = 256 * 1024 * 1024

/**
 * Session options for a few runs of a large model. Weights are packed for each run then, not once before the first,
 * while the unpacked ones are still held: that takes twice the memory of the weights, and no less time for few runs.
 */
function fewRunsOptions(file: string): Record<string, unknown> {
  const bytes = [file, ...dataBeside(file)].reduce((sum, path) => sum + statSync(path).size, 0)
  return bytes < LARGE ? {} : { disable_prepacking: '1' }
}

/** Session options by their place in onnxruntime's configuration: a model given as bytes has no folder of its data. */
function extraOptions(file: string, from: Loaded, fewRuns: boolean): InferenceSession.SessionOptions {
  const data = dataBeside(file)
  // It has other memory, and reads no folder.
  if (from.package === 'onnxruntime-web') {
    const contents = (path: string): string | Uint8Array => (from.opensPaths ? path : readFileSync(path))
    const externalData = data.map((path) => ({ path: basename(path), data: contents(path) }))
    return data.length === 0 ? {} : { externalData }
  }
  const folder = data.length === 0 ? {} : { model_external_initializers_file_folder_path: dirname(file) }
  return { extra: { session: { ...folder, ...(fewRuns ? fewRunsOptions(file) : {}) } } }
}

/**
 * Loads an ONNX file in onnxruntime.
 * @throws AlbertkitError `environment` if neither package is installed, `malformed` if the file does not load
 */
export async function openOnnx(file: string, options: OnnxOptions = {}): Promise<Runner> {
  const { provider } = options
  const from = provider === undefined ? await loadOnnx(options.importer, options.only) : await loadNative(provider)
  const { ort, detail } = from
  const marks = options.marks ?? []
  const inner = new Map(Object.entries(options.inner ?? {}))
  const added = addedOutputs(options)
  const settings: InferenceSession.SessionOptions = {
    logSeverityLevel: 4,
    intraOpNumThreads: options.threads ?? 1,
    ...(provider === undefined ? {} : { executionProviders: [provider.id] }),
    ...extraOptions(file, from, options.fewRuns === true && provider === undefined),
  }
  try {
    const session =
      added.length > 0 || !from.opensPaths
        ? await ort.InferenceSession.create(withOutputs(readFileSync(file), added), settings)
        : await ort.InferenceSession.create(file, settings)
    const outputs = session.outputNames.filter((name) => !added.includes(name))
    const { name, adapter } = provider ?? { name: 'onnxruntime', adapter: null }
    return new OnnxRunner({ ort, name, detail, adapter, session, file, outputs, marks, values: inner })
  } catch (error) {
    // Errors of a provider that does not start contain one of these words; others concern the model.
    if (provider !== undefined && /provider|webgpu|cuda|adapter/i.test(firstLine(error)))
      throw environment(`${provider.name} does not start: ${firstLine(error)}`, {
        code: 'device-missing',
        hint: provider.hint,
        cause: error,
      })
    throw malformed(`onnxruntime does not load the model: ${firstLine(error)}`, {
      code: 'artefact-rejected',
      file,
      cause: error,
    })
  }
}
