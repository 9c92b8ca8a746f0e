import type { Adapter } from '../gpu/adapter.js'

/** Packages that run ONNX files. Published declarations read this file, so it must not need the packages' own types. */

export type OnnxPackage = 'onnxruntime-node' | 'onnxruntime-web'

/** Imports a package; tests replace it. */
export type Importer = (name: OnnxPackage) => Promise<unknown>

/** An execution provider of onnxruntime-node. Operators that it lacks, mostly of shapes, run on the CPU. */
export interface Provider {
  readonly id: 'webgpu' | 'cuda'
  /** Name of the runner. */
  readonly name: string
  readonly adapter: Adapter
  /** Hint to the user if it does not start. */
  readonly hint: string
}
