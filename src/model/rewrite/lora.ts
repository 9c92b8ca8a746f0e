import { shownJson } from '../../base/json-text.js'
import { unsupported, usage, type AlbertkitError } from '../../base/errors.js'
import { DTYPE_BYTES, elementCount, isFloat, type TensorInfo, type TensorSource } from '../../formats/core/source.js'
import { decodeFloats } from '../tensors/decode.js'

/**
 * LoRA adapters of PEFT merged into the kernels that they change, as `merge_and_unload` does (peft/tuners/lora/layer.py
 * `get_delta_weight`): W + scale · B·A, computed while the weights are read.
 */

/** Fields of adapter_config.json. */
export interface LoraConfig {
  readonly file: string
  readonly fields: Readonly<Record<string, unknown>>
}

interface Delta {
  readonly module: string
  readonly a: TensorInfo
  readonly b: TensorInfo
  readonly from: TensorSource
  /**
   * True of an embedding, whose delta is `(B·A)ᵀ`. PEFT ignores `fan_in_fan_out` for the layers of ALBERT and BERT,
   * which are `torch.nn.Linear`.
   */
  readonly transposed: boolean
  readonly scale: number
}

interface Entry {
  readonly info: TensorInfo
  readonly from: TensorSource
  /** Its name there. */
  readonly stored: string
}

const LORA = /^(.*)\.lora_(embedding_)?([AB])(?:\.([^.]+))?(?:\.weight)?$/
const SAVED = /\.modules_to_save(?:\.([^.]+))?(?=\.)/

/** A name as the model itself has it: without what PEFT puts around its layers. */
const plainName = (name: string): string =>
  name
    .replace(/^(base_model\.)?model\.(?=base_model\.)/, '')
    .replace(/^base_model\.model\./, '')
    .replace('.base_layer.', '.')
    .replace('.original_module.', '.')
    .replace(SAVED, '')

/** True if a source has LoRA variables. */
export const hasLora = ({ tensors }: TensorSource): boolean => [...tensors.keys()].some((name) => LORA.test(name))

/** Fields that are applied, that only describe the training of the adapter, or that are checked separately. */
const KNOWN: ReadonlySet<string> = new Set([
  ...[
    'peft_type',
    'task_type',
    'auto_mapping',
    'peft_version',
    'revision',
    'inference_mode',
    'base_model_name_or_path',
  ],
  ...['r', 'lora_alpha', 'rank_pattern', 'alpha_pattern', 'use_rslora', 'bias', 'modules_to_save', 'init_lora_weights'],
  ...['target_modules', 'exclude_modules', 'layers_to_transform', 'layers_pattern', 'lora_dropout', 'fan_in_fan_out'],
  ...['loftq_config', 'eva_config', 'corda_config', 'lora_ga_config', 'megatron_config', 'megatron_core'],
  ...['qalora_group_size', 'runtime_config', 'unsloth_fixed', 'unsloth_version'],
])

const isActive = (value: unknown): boolean =>
  typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value)

/** Fields under which PEFT computes something else than a sum of two products. */
function refuseKinds({ file, fields }: LoraConfig): void {
  const refuse = (field: string, words: string): AlbertkitError =>
    unsupported(`${field} is ${shownJson(fields[field])}: ${words}`, {
      code: 'architecture-unsupported',
      file,
      field,
      hint: 'merge it with PEFT (merge_and_unload()) and convert the result',
    })
  const type = fields.peft_type
  if (type !== 'LORA') throw refuse('peft_type', 'only LoRA is merged here')
  for (const [field, words] of [
    ['use_dora', 'DoRA scales the sum by a magnitude of each row'],
    ['lora_bias', 'the deltas have a bias of their own'],
    ['trainable_token_indices', 'rows of the embeddings were trained apart'],
    ['alora_invocation_tokens', 'the adapter acts from a token on'],
    ['target_parameters', 'parameters and not layers were changed'],
  ] as const)
    if (fields[field] !== undefined && fields[field] !== null && fields[field] !== false) throw refuse(field, words)
  const other = Object.keys(fields).find((field) => !KNOWN.has(field) && isActive(fields[field]))
  if (other !== undefined) throw refuse(other, 'what it changes is not known here')
  const init = fields.init_lora_weights
  if (typeof init === 'string' && !/^(gaussian|eva|orthogonal|true|false)$/.test(init))
    throw refuse('init_lora_weights', 'PEFT changes the base weights too when it loads such an adapter')
}

/** The value of the first pattern that a module's name ends in (peft/utils/other.py `get_pattern_key`), else `fallback`. */
function patternValue(patterns: unknown, module: string, fallback: number): number {
  if (typeof patterns !== 'object' || patterns === null) return fallback
  for (const [pattern, value] of Object.entries(patterns)) {
    let fits: boolean
    try {
      fits = new RegExp(`^(?:.*\\.)?(?:${pattern})$`).test(module)
    } catch {
      fits = module === pattern || module.endsWith(`.${pattern}`)
    }
    if (fits && typeof value === 'number') return value
  }
  return fallback
}

function scaleOf({ file, fields }: LoraConfig, module: string, rank: number): number {
  const alpha = fields.lora_alpha
  if (typeof alpha !== 'number')
    throw unsupported('lora_alpha, the scale of the deltas, is absent', {
      code: 'config-invalid',
      file,
      field: 'lora_alpha',
    })
  const own = patternValue(fields.alpha_pattern, module, alpha)
  return fields.use_rslora === true ? own / Math.sqrt(rank) : own / rank
}

/** Sorts the variables of `sources`, the later before the earlier, into those of the model and the deltas. */
function sortNames(
  sources: readonly TensorSource[],
  config: LoraConfig,
): {
  entries: Map<string, Entry>
  deltas: Map<string, Delta>
} {
  const entries = new Map<string, Entry>()
  const pairs = new Map<string, { A?: TensorInfo; B?: TensorInfo; from: TensorSource; embedding: boolean }>()
  const adapters = new Set<string>()
  for (const from of sources)
    for (const info of from.tensors.values()) {
      const [, module, embedding, side, adapter] = LORA.exec(info.name) ?? []
      if (module !== undefined && side !== undefined) {
        if (adapter !== undefined && adapter !== 'weight') adapters.add(adapter)
        const key = plainName(`${module}.`).slice(0, -1)
        const pair = pairs.get(key) ?? { from, embedding: embedding !== undefined }
        pair[side as 'A' | 'B'] = info
        pairs.set(key, pair)
        continue
      }
      const plain = plainName(info.name)
      const name = from === sources[0] ? plain : (nameIn(entries, plain) ?? plain)
      // What PEFT has trained in place of a module counts, not the module that it replaces.
      if (info.name.includes('.original_module.') && entries.has(name)) continue
      entries.set(name, { info: { ...info, name }, from, stored: info.name })
    }
  if (adapters.size > 1)
    throw unsupported(`the file has several adapters: ${[...adapters].join(', ')}`, {
      code: 'choice-ambiguous',
      file: config.file,
    })
  const deltas = new Map<string, Delta>()
  for (const [module, { A: a, B: b, from, embedding }] of pairs) {
    const name = nameIn(entries, `${module}.weight`)
    if (name === null || a === undefined || b === undefined)
      throw usage(`the adapter changes ${module}, which the base does not have`, {
        code: 'name-unknown',
        file: config.file,
        tensor: (a ?? b)?.name ?? module,
        hint: 'give the base that the adapter was trained on',
      })
    const rank = a.shape[0] ?? 1
    deltas.set(name, { module, a, b, from, transposed: embedding, scale: scaleOf(config, module, rank) })
  }
  return { entries, deltas }
}

/** The name of a base that was saved with another class: with or without the scope of the encoder. */
function nameIn(entries: ReadonlyMap<string, Entry>, name: string): string | null {
  if (entries.has(name)) return name
  const bare = name.replace(/^(bert|albert)\./, '')
  if (entries.has(bare)) return bare
  return ['bert', 'albert'].map((scope) => `${scope}.${name}`).find((one) => entries.has(one)) ?? null
}

function floats(
  source: TensorSource,
  { name, dtype, shape }: TensorInfo,
  start = 0,
  count = elementCount(shape),
): Float32Array {
  const bytes = new Uint8Array(count * DTYPE_BYTES[dtype])
  source.read(name, start * DTYPE_BYTES[dtype], bytes)
  const values = new Float32Array(count)
  decodeFloats(dtype, bytes, values)
  return values
}

/**
 * Adds the elements of a delta from `start` on to `target`; the two factors are held, which are small. Every step is
 * rounded to float32 as PyTorch rounds it (fused multiply-add), so that kernels whose deltas are large agree too.
 */
function adder(
  { a, b, from, transposed, scale }: Delta,
  shape: readonly number[],
): (start: number, target: Float32Array) => void {
  let held: readonly [Float32Array, Float32Array] | null = null
  const { fround } = Math
  const factor = fround(scale)
  const [rank = 1, inputs = 1] = a.shape
  const columns = shape[1] ?? 1
  return (start, target) => {
    held ??= [floats(from, a), floats(from, b)]
    const [left, right] = held
    for (let i = 0; i < target.length; i++) {
      const at = start + i
      const [row, column] = [Math.floor(at / columns), at % columns]
      const [output, input] = transposed ? [column, row] : [row, column]
      let sum = 0
      for (let k = 0; k < rank; k++) sum = fround(sum + right[output * rank + k]! * left[k * inputs + input]!)
      target[i] = target[i]! + fround(sum * factor)
    }
  }
}

function checkShapes(name: string, { info }: Entry, { a, b, transposed }: Delta, file: string): void {
  const [rank, inputs] = a.shape
  const [outputs, own] = b.shape
  const [rows, columns] = transposed ? [inputs, outputs] : [outputs, inputs]
  const { shape } = info
  if (isFloat(info.dtype) && rank === own && shape.length === 2 && shape[0] === rows && shape[1] === columns) return
  throw unsupported(
    `the deltas of ${name} have shapes [${a.shape.join(', ')}] and ` +
      `[${b.shape.join(', ')}], the weight [${shape.join(', ')}]`,
    {
      code: 'shape-mismatch',
      file,
      tensor: a.name,
    },
  )
}

/**
 * The model with its LoRA adapter merged, under the names of the base.
 * @param adapter the file of the adapter, if it is not in `base` itself
 * @throws AlbertkitError `unsupported` for other adapters than LoRA, `usage` if base and adapter do not belong together
 */
export function mergeLora(base: TensorSource, adapter: TensorSource | null, config: LoraConfig): TensorSource {
  refuseKinds(config)
  const sources = adapter === null ? [base] : [base, adapter]
  const { entries, deltas } = sortNames(sources, config)
  const tensors = new Map<string, TensorInfo>()
  const adders = new Map<string, (start: number, target: Float32Array) => void>()
  for (const [name, entry] of entries) {
    const delta = deltas.get(name)
    if (delta === undefined) {
      tensors.set(name, entry.info)
      continue
    }
    checkShapes(name, entry, delta, config.file)
    tensors.set(name, { ...entry.info, dtype: 'F32', byteLength: 4 * elementCount(entry.info.shape) })
    adders.set(name, adder(delta, entry.info.shape))
  }
  const entryOf = (name: string): Entry => {
    const entry = entries.get(name)
    if (entry === undefined) throw new RangeError(`no tensor named ${name}`)
    return entry
  }
  return {
    format: base.format,
    files: [...new Set(sources.flatMap(({ files }) => files))],
    tensors,
    notes: sources.flatMap(({ notes }) => notes),
    ...(base.metadata === undefined ? {} : { metadata: base.metadata }),
    missingFiles: sources.flatMap(({ missingFiles }) => missingFiles ?? []),
    read(name, offset, target) {
      const { from, stored, info } = entryOf(name)
      const add = adders.get(name)
      if (add === undefined) {
        from.read(stored, offset, target)
        return
      }
      const first = Math.floor(offset / 4)
      const last = Math.ceil((offset + target.length) / 4)
      const values = floats(from, { ...info, name: stored }, first, last - first)
      add(first, values)
      target.set(new Uint8Array(values.buffer, offset - first * 4, target.length))
    },
    verifyChecksum(name) {
      const { from, stored } = entryOf(name)
      from.verifyChecksum(stored)
    },
    close() {
      for (const source of sources) source.close()
    },
  }
}
