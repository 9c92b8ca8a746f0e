import type { Adapter } from '../gpu/adapter.js'

/** Packages that run ONNX files, and how they are loaded. Published declarations read this file, so it needs no types of theirs. */

export type OnnxPackage = 'onnxruntime-node' | 'onnxruntime-web'

/** Imports a package; tests replace it. The declarations that are published must not need onnxruntime's. */
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
