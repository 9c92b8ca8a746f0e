import { parseJson } from '../base/json-text.js'
import type { Activation, ModelConfig } from '../model/config.js'
import * as z from '../vendor/zod.js'
import { albertkitVersion } from '../base/version.js'
import type { FileHash } from '../files/hash.js'
import { basename } from '../formats/core/paths.js'
import type { WrittenArtefact } from './weights/artefact.js'

/**
 * The two small files of an output directory: `albertkit.json`, which records the source files and the checks, and
 * `config.json` in the format of transformers. Neither contains a time or an output path, so that the same input and
 * options give the same bytes.
 */

export interface HashedFile extends Partial<FileHash> {
  /** Name within its directory, or path relative to the output directory. */
  readonly name: string
}

/** Options that select part of the files as the model. */
export interface ReadingOptions {
  readonly ignore?: readonly string[]
  readonly head?: string
  readonly scope?: string
  readonly ema?: boolean
  readonly mergeLora?: boolean
}

export interface ManifestArtefact {
  readonly task: string
  readonly outputs: readonly string[]
  readonly weightBytes: number
  /** Element type of the weights; absent if it is the target's default. */
  readonly dtype?: string
  /** Results of the gate: agreement of the quantised model's answers with float32. */
  readonly gate?: object
  /** Architecture that the model was converted to; absent if it is the model's own. */
  readonly as?: string
  readonly files: readonly HashedFile[]
  /** Files of the source model. */
  readonly source: {
    readonly format: string
    readonly files: readonly HashedFile[]
    /** Repository and commit on the hub, if the model came from there. */
    readonly origin?: object
    /** Options of reading, if any: ignored patterns, head, scope, averages, merged LoRA. */
    readonly read?: ReadingOptions
    /** Notes on contents of the source that were left out, if any. */
    readonly leftOut?: readonly string[]
  }
  /** Parity figures; null if verification was switched off. */
  readonly verification: object | null
}

export interface Manifest {
  readonly albertkit: string
  readonly format: 1
  readonly family: string
  readonly config: object
  readonly artefacts: Readonly<Record<string, ManifestArtefact>>
  /** Files next to the artefacts: configuration, tokenizer. Absent in manifests of older versions. */
  readonly files?: readonly HashedFile[]
}

export interface ManifestParts {
  readonly source: {
    readonly format: string
    readonly files: readonly { readonly path: string; readonly hash: FileHash | undefined }[]
    readonly read?: ReadingOptions | undefined
    readonly origin?: object | undefined
    readonly leftOut?: readonly string[]
  }
  readonly config: ModelConfig
  readonly task: string
  readonly artefacts: readonly {
    /** Key of the artefact in the manifest. */
    readonly key: string
    readonly artefact: WrittenArtefact
    readonly hashes: readonly (FileHash | undefined)[]
    readonly as?: string | undefined
    readonly dtype?: string | undefined
    readonly gate?: object | undefined
    /** Parity figures; null if verification was switched off. */
    readonly verification: object | null
  }[]
  /** Files next to the artefacts, paths relative to the output directory. */
  readonly files: readonly { readonly path: string; readonly hash: FileHash | undefined }[]
  /** Previous manifest of the directory, whose other artefacts are kept. */
  readonly previous: Manifest | null
}

const hashed = (name: string, hash: FileHash | undefined): HashedFile => ({
  name,
  ...(hash === undefined ? {} : { bytes: hash.bytes, sha256: hash.sha256 }),
})

/** The configuration without the path of its file, which differs between machines. */
export const portable = ({ file: _file, ...config }: ModelConfig): object => config

export function buildManifest(parts: ManifestParts): string {
  const source = {
    format: parts.source.format,
    files: parts.source.files.map(({ path, hash }) => hashed(basename(path), hash)),
    ...(parts.source.origin === undefined ? {} : { origin: parts.source.origin }),
    ...(parts.source.read === undefined ? {} : { read: parts.source.read }),
    ...((parts.source.leftOut ?? []).length === 0 ? {} : { leftOut: parts.source.leftOut }),
  }
  const made = parts.artefacts.map(
    ({ key, artefact, hashes, as, dtype, gate, verification }): [string, ManifestArtefact] => [
      key,
      {
        task: parts.task,
        outputs: artefact.outputs,
        weightBytes: artefact.weightBytes,
        ...(dtype === undefined ? {} : { dtype }),
        ...(as === undefined ? {} : { as }),
        files: artefact.files.map((file, i) => hashed(file.path, hashes[i])),
        source,
        verification,
        ...(gate === undefined ? {} : { gate }),
      },
    ],
  )
  const beside = new Map([
    ...(parts.previous?.files ?? []).map((file): [string, HashedFile] => [file.name, file]),
    ...parts.files.map(({ path, hash }): [string, HashedFile] => [path, hashed(path, hash)]),
  ])
  const byName = (a: string, b: string): number => (a < b ? -1 : 1)
  const all = { ...parts.previous?.artefacts, ...Object.fromEntries(made) }
  const manifest: Manifest = {
    albertkit: albertkitVersion(),
    format: 1,
    family: parts.config.family,
    config: portable(parts.config),
    artefacts: Object.fromEntries(Object.entries(all).sort(([a], [b]) => byName(a, b))),
    files: [...beside.values()].sort((a, b) => byName(a.name, b.name)),
  }
  return `${JSON.stringify(manifest, null, 2)}\n`
}

/** Schema of the fields that are read of an existing manifest; the others are kept unchanged. */
const FILE = z.object({
  name: z.string(),
  bytes: z.optional(z.int()),
  sha256: z.optional(z.string()),
})
const READ = z.object({
  artefacts: z.record(
    z.string(),
    z.object({
      task: z.string(),
      files: z.array(FILE),
      source: z.optional(
        z.object({
          read: z.optional(z.object({ ignore: z.optional(z.array(z.string())) })),
          leftOut: z.optional(z.array(z.string())),
        }),
      ),
    }),
  ),
  files: z.optional(z.array(FILE)),
})

/** Parses a manifest; null if it is invalid. */
export function parseManifest(text: string): Manifest | null {
  try {
    const parsed: unknown = parseJson(text)
    return READ.safeParse(parsed).success ? (parsed as Manifest) : null
  } catch {
    return null
  }
}

/** transformers' names of the activations; its `gelu` is the erf variant. */
const HF_NAMES: Readonly<Record<Activation, string>> = {
  gelu_tanh: 'gelu_new',
  gelu_erf: 'gelu',
  relu: 'relu',
  swish: 'silu',
  tanh: 'tanh',
  linear: 'linear',
}

export interface ConfigJsonOptions {
  /** transformers' class, e.g. `AlbertForPreTraining`. */
  readonly architectures?: readonly string[]
  /** Fields of the source's configuration to keep. */
  readonly passed?: Readonly<Record<string, unknown>>
  /** Model family of the weights in the other files, if it differs from `config.family`. */
  readonly family?: string
  /** Task of the model. */
  readonly task?: string
  /** True if the masked-token head has its own decoder matrix. */
  readonly untied?: boolean
  /** PyTorch's name of the element type of the safetensors file. */
  readonly dtype?: string
  /** Settings for transformers.js about the ONNX files. */
  readonly transformersJs?: object | null
}

/** Builds `config.json` for transformers; `labels` become id2label and label2id. */
export function buildConfigJson(
  config: ModelConfig,
  labels: readonly string[] | null,
  {
    architectures,
    passed = {},
    family = config.family,
    task,
    untied = false,
    dtype,
    transformersJs = null,
  }: ConfigJsonOptions = {},
): string {
  const factorised = config.architecture === 'albert'
  const body = {
    ...(architectures === undefined ? {} : { architectures }),
    ...passed,
    model_type: config.architecture,
    vocab_size: config.vocab_size,
    ...(factorised ? { embedding_size: config.embedding_size } : {}),
    hidden_size: config.hidden_size,
    num_hidden_layers: config.num_hidden_layers,
    ...(factorised ? { num_hidden_groups: config.num_hidden_groups, inner_group_num: config.inner_group_num } : {}),
    num_attention_heads: config.num_attention_heads,
    intermediate_size: config.intermediate_size,
    hidden_act: HF_NAMES[config.hidden_act],
    max_position_embeddings: config.max_position_embeddings,
    type_vocab_size: config.type_vocab_size,
    layer_norm_eps: config.layer_norm_eps,
    // Newer versions of transformers read dtype, older ones torch_dtype; each ignores the other.
    ...(dtype === undefined ? {} : { dtype, torch_dtype: dtype }),
    ...(untied ? { tie_word_embeddings: false } : {}),
    ...(labels === null
      ? {}
      : {
          id2label: Object.fromEntries(labels.map((label, i) => [String(i), label])),
          label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
        }),
    ...(transformersJs === null ? {} : { 'transformers.js_config': transformersJs }),
    // Settings without a field in transformers: family, position of the LayerNorms, task of the classifier, and how the
    // masked-token head differs from the layers.
    albertkit: {
      family,
      norm_position: config.norm_position,
      ...(task === undefined ? {} : { task }),
      ...(config.mlm_head === undefined ? {} : { mlm_head: config.mlm_head }),
    },
  }
  return `${JSON.stringify(body, null, 2)}\n`
}
