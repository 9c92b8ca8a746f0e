/** The part of @litertjs/core that is used here, so that albertkit compiles without the optional package. */
declare module '@litertjs/core' {
  export interface CompileOptions {
    readonly accelerator?: 'wasm' | 'webgpu'
    readonly gpuOptions?: { readonly precision?: 'fp16' | 'fp32' }
  }

  export class Tensor {
    constructor(data: Int32Array | Float32Array, shape: readonly number[])
    readonly type: { readonly layout: { readonly dimensions: ArrayLike<number> } }
    toTypedArray(): Int32Array | Float32Array
    data(): Promise<Int32Array | Float32Array>
    delete(): void
  }

  export interface CompiledModel {
    /** Inputs and outputs by their names in the signature. */
    run(inputs: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>
    readonly isFullyAccelerated: boolean
    delete(): void
  }

  export function loadLiteRt(
    path: string,
    options?: { readonly jspi?: boolean; readonly threads?: boolean },
  ): Promise<unknown>
  export function loadAndCompile(model: string | Uint8Array, options?: CompileOptions): Promise<CompiledModel>
  export function getWebGpuDevice(): object | null
  export function isWebGPUSupported(): boolean
}
