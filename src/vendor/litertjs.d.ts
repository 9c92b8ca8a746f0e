/** The part of @litertjs/core that is used here, so that albertkit compiles without the optional package. */
declare module '@litertjs/core' {
  export interface CompileOptions {
    readonly accelerator?: 'wasm' | 'webgpu'
    readonly gpuOptions?: { readonly precision?: 'fp16' | 'fp32' }
  }

  export class Tensor {
    constructor(data: Int32Array | Float32Array, shape: readonly number[])
    readonly type: { readonly layout: { readonly dimensions: ArrayLike<number> } }
    /** Values of a tensor in the memory of the wasm module. */
    toTypedArray(): Int32Array | Float32Array
    /** Values of a tensor anywhere. */
    data(): Promise<Int32Array | Float32Array>
    delete(): void
  }

  export interface CompiledModel {
    /** What it runs on; wasm if a GPU that was asked for does not take the graph. */
    readonly options: { readonly accelerator: 'wasm' | 'webgpu' }
    getInputDetails(): readonly { readonly name: string; readonly shape: Int32Array }[]
    /** Inputs and outputs by their names in the signature. */
    run(inputs: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>
    delete(): void
  }

  export function supportsFeature(name: 'jspi' | 'threads' | 'relaxedSimd'): Promise<boolean>
  export function loadLiteRt(
    path: string,
    options?: { readonly jspi?: boolean; readonly threads?: boolean },
  ): Promise<unknown>
  export function loadAndCompile(model: string | Uint8Array, options?: CompileOptions): Promise<CompiledModel>
}
