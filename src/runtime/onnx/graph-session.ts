import type { InferenceSession, Tensor } from 'onnxruntime-node'
import { malformed } from '../../base/errors.js'
import { firstLine, runError } from '../runner.js'
import { toInt64 } from './int64.js'
import { loadNative, loadOnnx, type Loaded } from './load.js'
import type { OnnxPackage, Provider } from './packages.js'

/** A tensor of onnxruntime that keeps the array that it was made from. */
export interface GraphTensor {
  readonly dims: readonly number[]
  readonly data: unknown
}

export interface GraphSessionOptions {
  /** Threads inside an operation; 1 by default. */
  readonly threads?: number
  readonly provider?: Provider
  readonly only?: OnnxPackage
  /** Outputs that stay on the GPU of the provider. */
  readonly onDevice?: readonly string[]
}

export type GraphResults = Readonly<Record<string, { readonly dims: readonly number[]; readonly data: Float32Array }>>

/** An ONNX graph that is loaded: inputs and outputs by name. Its tensors are those that it makes itself. */
export interface Graph {
  /** Package, version and device. */
  readonly detail: string
  /** A float32 tensor over `data`. */
  floats(data: Float32Array, dims: readonly number[]): GraphTensor
  /** An int64 tensor with the values of `data`, which are not negative. */
  ids(data: Int32Array, dims: readonly number[]): GraphTensor
  bytes(data: Uint8Array, dims: readonly number[]): GraphTensor
  /** Makes tensors inputs of all following runs, with the values that they have now; those kept before are forgotten. */
  keep(tensors: Readonly<Record<string, GraphTensor>>): Promise<void>
  /**
   * Runs the graph.
   * @param fetches outputs; with a tensor, the output is written into it
   * @throws AlbertkitError `malformed` if onnxruntime rejects it
   */
  run(
    feeds: Readonly<Record<string, GraphTensor>>,
    fetches: Readonly<Record<string, GraphTensor | null>>,
  ): Promise<GraphResults>
  close(): Promise<void>
}

const onDeviceOnly = (outputs: readonly string[]): Record<string, 'gpu-buffer'> =>
  Object.fromEntries(outputs.map((name) => [name, 'gpu-buffer']))

/** Frees a tensor on the device. */
export const freeTensor = (tensor: GraphTensor): void => {
  ;(tensor as Tensor).dispose()
}

/** Any ONNX graph in memory, loaded in onnxruntime: inputs and outputs by name. */
export class GraphSession implements Graph {
  #kept: Readonly<Record<string, GraphTensor>> = {}

  // Private, so that the published declarations need no types of onnxruntime.
  private constructor(
    private readonly loaded: Loaded,
    private readonly session: InferenceSession,
    readonly name: string,
  ) {}

  /** Loads a graph; see `openGraph`. */
  static async open(
    bytes: Uint8Array,
    name: string,
    { threads = 1, provider, only, onDevice = [] }: GraphSessionOptions,
  ): Promise<GraphSession> {
    const loaded = provider === undefined ? await loadOnnx(undefined, only) : await loadNative(provider)
    const settings: InferenceSession.SessionOptions = {
      logSeverityLevel: 4,
      intraOpNumThreads: threads,
      extra: { session: { intra_op: { allow_spinning: '0' } } },
      ...(provider === undefined ? {} : { executionProviders: [provider.id] }),
      ...(onDevice.length === 0 ? {} : { preferredOutputLocation: onDeviceOnly(onDevice) }),
    }
    try {
      return new GraphSession(loaded, await loaded.ort.InferenceSession.create(bytes, settings), name)
    } catch (error) {
      throw malformed(`onnxruntime does not load the graph ${name}: ${firstLine(error)}`, {
        code: 'artefact-rejected',
        cause: error,
      })
    }
  }

  get detail(): string {
    return this.loaded.detail
  }

  floats(data: Float32Array, dims: readonly number[]): GraphTensor {
    return new this.loaded.ort.Tensor('float32', data, dims)
  }

  ids(data: Int32Array, dims: readonly number[]): GraphTensor {
    return new this.loaded.ort.Tensor('int64', toInt64(data), dims)
  }

  bytes(data: Uint8Array, dims: readonly number[]): GraphTensor {
    return new this.loaded.ort.Tensor('uint8', data, dims)
  }

  keep(tensors: Readonly<Record<string, GraphTensor>>): Promise<void> {
    this.#kept = tensors
    return Promise.resolve()
  }

  async run(
    feeds: Readonly<Record<string, GraphTensor>>,
    fetches: Readonly<Record<string, GraphTensor | null>>,
  ): Promise<GraphResults> {
    try {
      const all = { ...this.#kept, ...feeds } as Record<string, Tensor>
      const results = await this.session.run(all, fetches as Record<string, Tensor | null>)
      return results as unknown as GraphResults
    } catch (error) {
      throw runError('onnxruntime', firstLine(error), this.name, error)
    }
  }

  close(): Promise<void> {
    return this.session.release()
  }
}

/**
 * Loads a graph from memory. Threads do not spin while they wait, so that other work on the machine is not slowed.
 * @param name of the graph, for messages
 * @throws AlbertkitError `environment` if onnxruntime is not installed, `malformed` if it rejects the graph
 */
export const openGraph = (bytes: Uint8Array, name: string, options: GraphSessionOptions = {}): Promise<GraphSession> =>
  GraphSession.open(bytes, name, options)
