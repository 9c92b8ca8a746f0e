/** The package's own types have imports that Node's resolution does not find. */
declare module '@huggingface/tokenizers' {
  export class Tokenizer {
    constructor(tokenizer: object, config: object)
    tokenize(text: string): string[]
    encode(text: string): { readonly ids: number[] }
  }
  export class SplitPreTokenizer {
    constructor(config: object)
    readonly pattern: RegExp | null
  }
}
