import { environment } from '../../base/errors.js'
import { installCommand } from '../../base/install-command.js'
import { importOptional, importPackage, isAbsent, named, requirePackage } from '../../base/optional-package.js'
import type { Importer, OnnxPackage, Provider } from './packages.js'

/** Common interface of onnxruntime-node and onnxruntime-web, as far as it is used here. */
export type Ort = Pick<typeof import('onnxruntime-node'), 'InferenceSession' | 'Tensor' | 'env'>

export interface Loaded {
  readonly ort: Ort
  readonly package: OnnxPackage
  readonly detail: string
  /** True if it opens files by their paths; else it takes their bytes. */
  readonly opensPaths: boolean
}

/**
 * onnxruntime 1.30 for Node reports its use, and leaves files in the temporary folder for that, unless this says
 * otherwise. Threads have the environment of the process, not one that they change.
 */
const importNode = (): Promise<unknown> => {
  process.env.ORT_DISABLE_TELEMETRY ??= '1'
  // A promise that rejects if this throws.
  return Promise.resolve().then(() => requirePackage('onnxruntime-node'))
}

/** What a module exports, however it was loaded. */
const exportsOf = (module: unknown): Ort => {
  const loaded = module as Ort | { readonly default: Ort }
  return 'default' in loaded ? loaded.default : loaded
}

const importOrt: Importer = (name) =>
  name === 'onnxruntime-node'
    ? importPackage<unknown>(name, importNode)
    : importPackage<unknown>(name, () => import('onnxruntime-web'))

const DEVICES: Readonly<Record<OnnxPackage, string>> = { 'onnxruntime-node': 'cpu', 'onnxruntime-web': 'wasm' }

/** Loads onnxruntime-node, or onnxruntime-web (wasm) if that is absent; or `only`. */
export async function loadOnnx(importer: Importer = importOrt, only?: OnnxPackage): Promise<Loaded> {
  for (const [name, device] of Object.entries(DEVICES) as [OnnxPackage, string][]) {
    if (only !== undefined && only !== name) continue
    try {
      const ort = exportsOf(await importer(name))
      ort.env.logLevel = 'error'
      if (name === 'onnxruntime-web') ort.env.wasm.numThreads = 1
      return { ort, package: name, detail: `${named(name)} (${device})`, opensPaths: true }
    } catch (error) {
      if (!isAbsent(error)) throw error
    }
  }
  throw environment(`${only ?? 'onnxruntime'} is not installed`, {
    code: 'package-missing',
    hint: installCommand(only ?? 'onnxruntime-node'),
  })
}

/** Loads onnxruntime-node for an execution provider of a GPU. @throws AlbertkitError `environment` if it is absent */
export async function loadNative(provider: Provider): Promise<Loaded> {
  const ort = exportsOf(await importOptional('onnxruntime-node', importNode, provider.name))
  // Errors are thrown as well; onnxruntime would also write them to the terminal.
  ort.env.logLevel = 'fatal'
  const detail = `${named('onnxruntime-node')} (${provider.id})`
  return { ort, package: 'onnxruntime-node', detail, opensPaths: true }
}
