declare module 'safetensors' {
  /** An independent reader of the format: it holds the whole file and checks nothing. */
  export class SafeTensor {
    constructor(file: Uint8Array)
    getTensor(name: string): Uint8Array
  }
}
