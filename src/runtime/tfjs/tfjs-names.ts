/** Names in a tfjs graph model written by albertkit. */

export interface ModelJson {
  readonly modelTopology: object
  readonly signature?: { readonly outputs?: Readonly<Record<string, { readonly name: string }>> }
  readonly userDefinedMetadata?: {
    readonly albertkit?: {
      readonly marks?: Readonly<Record<string, string>>
      readonly inner?: Readonly<Record<string, string>>
    }
  }
  readonly weightsManifest: readonly { readonly paths: readonly string[]; readonly weights: readonly object[] }[]
}

export interface GraphNames {
  readonly outputs: readonly string[]
  readonly marks: readonly string[]
  readonly inner: readonly string[]
  /** Node of every output, mark and inner value. */
  readonly nodes: ReadonlyMap<string, string>
}

export function graphNames({ signature, userDefinedMetadata }: ModelJson): GraphNames {
  const outputs = Object.entries(signature?.outputs ?? {}).map(([name, info]) => [name, info.name] as const)
  const marks = Object.entries(userDefinedMetadata?.albertkit?.marks ?? {})
  const inner = Object.entries(userDefinedMetadata?.albertkit?.inner ?? {})
  const names = new Set(outputs.map(([name]) => name))
  return {
    outputs: [...names],
    marks: marks.map(([name]) => name).filter((name) => !names.has(name)),
    inner: inner.map(([name]) => name),
    nodes: new Map([...inner, ...marks, ...outputs]),
  }
}
