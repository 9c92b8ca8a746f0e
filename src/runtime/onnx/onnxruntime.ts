import { readFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { InferenceSession, Tensor } from 'onnxruntime-node'
import { environment, malformed } from '../../base/errors.js'
import { installCommand } from '../../base/install-command.js'
import { importOptional, importPackage, isAbsent, named } from '../../base/optional-package.js'
import { inputShape, type ModelInputs } from '../../model/reference/run.js'
import type { Adapter } from '../gpu/adapter.js'
import { dataBeside, withOutputs } from './onnx-outputs.js'
import { firstLine, runError, type NamedTensor, type Runner } from '../runner.js'
import { addedOutputs, type InnerValues } from '../values.js'

/** Common interface of onnxruntime-node and onnxruntime-web, as far as it is used here. */
export type Ort = Pick<typeof import('onnxruntime-node'), 'InferenceSession' | 'Tensor' | 'env'>

export interface Loaded {
  readonly ort: Ort
  readonly package: OnnxPackage
  readonly detail: string
}

export type OnnxPackage = 'onnxruntime-node' | 'onnxruntime-web'

/** Imports a package; tests replace it. The declarations that are published must not need onnxruntime's. */
export type Importer = (name: OnnxPackage) => Promise<unknown>

const importOrt: Importer = (name) =>
  name === 'onnxruntime-node'
    ? importPackage<unknown>(name, () => import('onnxruntime-node'))
    : importPackage<unknown>(name, () => import('onnxruntime-web'))

const DEVICES: Readonly<Record<OnnxPackage, string>> = { 'onnxruntime-node': 'cpu', 'onnxruntime-web': 'wasm' }

/** Loads onnxruntime-node, or onnxruntime-web (wasm) if that is absent; or `only`. */
export async function loadOnnx(importer: Importer = importOrt, only?: OnnxPackage): Promise<Loaded> {
  for (const [name, device] of Object.entries(DEVICES) as [OnnxPackage, string][]) {
    if (only !== undefined && only !== name) continue
    try {
      const module = (await importer(name)) as Ort | { readonly default: Ort }
      const ort = 'default' in module ? module.default : module
      ort.env.logLevel = 'error'
      if (name === 'onnxruntime-web') ort.env.wasm.numThreads = 1
      return { ort, package: name, detail: `${named(name)} (${device})` }
    } catch (error) {
      if (!isAbsent(error)) throw error
    }
  }
  throw environment(`${only ?? 'onnxruntime'} is not installed`, {
    code: 'package-missing',
    hint: installCommand(only ?? 'onnxruntime-node'),
  })
}

/** Widens ids and masks, which are never negative: the high words stay zero. Faster than a BigInt for each. */
export function toInt64(values: Int32Array): BigInt64Array {
  const wide = new BigInt64Array(values.length)
  const words = new Int32Array(wide.buffer)
  for (let i = 0; i < values.length; i++) words[2 * i] = values[i]!
  return wide
}

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
      // Two names may stand for one value, which is then fetched once.
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

/** An execution provider of onnxruntime-node. Operators that it lacks, mostly of shapes, run on the CPU. */
export interface Provider {
  readonly id: 'webgpu' | 'cuda'
  /** Name of the runner. */
  readonly name: string
  readonly adapter: Adapter
  /** Hint to the user if it does not start. */
  readonly hint: string
}

export async function loadNative(provider: Provider): Promise<Loaded> {
  const { default: ort } = await importOptional('onnxruntime-node', () => import('onnxruntime-node'), provider.name)
  // Errors are thrown as well; onnxruntime would also write them to the terminal.
  ort.env.logLevel = 'fatal'
  return { ort, package: 'onnxruntime-node', detail: `${named('onnxruntime-node')} (${provider.id})` }
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
}

/** Session options that locate external data: a model given as bytes has no folder, and onnxruntime-web reads none. */
function externalDataOptions(file: string, from: OnnxPackage): InferenceSession.SessionOptions {
  const data = dataBeside(file)
  if (data.length === 0) return {}
  if (from === 'onnxruntime-web') return { externalData: data.map((path) => ({ path: basename(path), data: path })) }
  return { extra: { session: { model_external_initializers_file_folder_path: dirname(file) } } }
}

/**
 * Loads an ONNX file in onnxruntime.
 * @throws AlbertkitError `environment` if neither package is installed, `malformed` if the file does not load
 */
export async function openOnnx(file: string, options: OnnxOptions = {}): Promise<Runner> {
  const { provider } = options
  const {
    ort,
    detail,
    package: from,
  } = provider === undefined ? await loadOnnx(options.importer, options.only) : await loadNative(provider)
  const marks = options.marks ?? []
  const inner = new Map(Object.entries(options.inner ?? {}))
  const added = addedOutputs(options)
  const settings: InferenceSession.SessionOptions = {
    logSeverityLevel: 4,
    intraOpNumThreads: options.threads ?? 1,
    ...(provider === undefined ? {} : { executionProviders: [provider.id] }),
    ...externalDataOptions(file, from),
  }
  try {
    const session =
      added.length > 0
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
