import { elementCount, type TensorSource } from '../../formats/core/source.js'
import type { AlbertModel, Parameter } from '../albert.js'
import { parametersOf, useCounts } from '../tensors/read.js'

export type Part = 'embeddings' | 'attention' | 'ffn' | 'norms' | 'pooler' | 'heads'
/** Parameters by part of the model; the parts add up to the total. */
export type PartCounts = Readonly<Record<Part, number>>

/** The paper's arithmetic (Lan et al. 2019, section 3.1) on a model in hand. */
export interface ParameterReport {
  /** Distinct parameters in the file that belong to the model. */
  readonly stored: number
  /** Parameters that the forward pass works with when every layer is counted: sharing shrinks storage, not computation. */
  readonly used: number
  /** Bytes of the stored parameters in the source's element types. */
  readonly bytes: number
  readonly parts: PartCounts
  readonly embedding: {
    readonly V: number
    readonly E: number
    readonly H: number
    /** V·H: an embedding table of the hidden size. */
    readonly unfactorised: number
    /** V·E + E·H: the table and the projection. */
    readonly factorised: number
    /** `unfactorised / factorised`. */
    readonly ratio: number
  }
}

const PARTS: readonly Part[] = ['embeddings', 'attention', 'ffn', 'norms', 'pooler', 'heads']

/** The part of the model that a slot belongs to. */
export function partOf(slot: string): Part {
  if (/^(mlm|sop|classifier|qa)\//.test(slot)) return 'heads'
  if (slot.includes('/LayerNorm/')) return 'norms'
  if (slot.startsWith('embeddings/') || slot.includes('embedding_hidden_mapping_in')) return 'embeddings'
  if (slot.startsWith('pooler/')) return 'pooler'
  return slot.includes('/attention/') ? 'attention' : 'ffn'
}

/** Counts the parameters of `model`, slot by slot. */
export function countParameters(model: AlbertModel, source: TensorSource): ParameterReport {
  const { vocab_size: V, embedding_size: E, hidden_size: H } = model.config
  const parts = Object.fromEntries(PARTS.map((part) => [part, 0])) as Record<Part, number>
  const uses = useCounts(model)
  let stored = 0
  let used = 0
  let bytes = 0
  for (const p of parametersOf(model) as Iterable<Parameter>) {
    const count = elementCount(p.shape)
    parts[partOf(p.slot)] += count
    stored += count
    used += count * (uses.get(p) ?? 1)
    bytes += source.tensors.get(p.variable)?.byteLength ?? 0
  }
  const unfactorised = V * H
  const factorised = model.config.architecture === 'bert' ? unfactorised : V * E + E * H
  return {
    stored,
    used,
    bytes,
    parts,
    embedding: { V, E, H, unfactorised, factorised, ratio: unfactorised / factorised },
  }
}
