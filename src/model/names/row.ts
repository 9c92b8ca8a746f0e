import type { Layout } from '../albert.js'
import type { Family, MlmHeadSettings } from '../config.js'

/**
 * Name tables: semantic slot ↔ variable name, one aligned table a family, read in both directions.
 *
 * Placeholders: `{l}` layer, `{g}` group, `{j}` inner layer, all counted from 0; `{k}`, `{odd}` and `{even}` occur in
 * names only and follow from the others (`layerNormIndices`), as does `{th}`, the number of an inner layer behind an
 * underscore, which the first one does not have. The third column has the dimensions by symbol, as the
 * forward pass means them: V vocabulary, E embedding, H hidden, I intermediate, P positions, T token types, N labels,
 * 16 the groups of google_fast, and A the hidden size of attention, which some files keep as two axes, heads and size
 * of a head (same bytes). The
 * fourth gives the stored layout: `T` transposed, PyTorch's `weight`; `G` sixteen groups, the group last.
 */
export interface NameRow {
  readonly slot: string
  readonly name: string
  readonly dims: readonly Dim[]
  readonly layout: Layout
  /** Kind of a classifier of this name, if the name determines it. */
  readonly classifies?: 'sequence' | 'token'
  /** Body rows carry the family's prefix (`bert/`, `albert.`); head rows do not. */
  readonly prefixed: boolean
}
export type Dim = 'V' | 'E' | 'H' | 'I' | 'P' | 'T' | 'N' | 'A' | '2' | '16' | 'H/16' | 'I/16'
export type Row = readonly [slot: string, name: string, dims: string, layout?: 'T' | 'G']

/** Names that identify a family; if `rank` is given, only tensors of that rank count. */
export interface Sign {
  readonly pattern: RegExp
  readonly rank?: number
}

export interface NameTable {
  readonly family: Family
  readonly architecture: 'albert' | 'bert'
  /** Name of the family in messages. */
  readonly title: string
  /** Prefixes of body variables, the usual one first. */
  readonly prefixes: readonly string[]
  readonly rows: readonly NameRow[]
  /** Sign that only this family has, and the reason for messages. */
  readonly sign: Sign & { readonly reason: string; readonly not?: Sign }
  /** True if names may carry an outer scope: `module/bert/…`, `model.encoder.…`. */
  readonly scoped?: true
  /** Older spellings of names: what is replaced, by what. */
  readonly spellings: readonly (readonly [RegExp, string])[]
  /** Number that this code adds to the scores of masked positions, if it is not that of the family. */
  readonly maskPenalty?: number
  /** Settings of the masked-token head, if they are not those of the layers. */
  readonly mlmHead?: MlmHeadSettings
  /** Number of inner layers of a group, if names count them through all groups (`{th}`). */
  readonly inner?: number
  /** True if most of a configuration can be inferred from shapes and names: the heads are an axis of the kernels. */
  readonly configInferable?: boolean
  /** True if the code reads its configuration as transformers does, although the family is not hf. */
  readonly transformersFields?: true
  /** LayerNorm epsilon of the code; overrides the configuration. */
  readonly layerNormEpsilon?: number
  /** Remark for the user that holds for every model of this code. */
  readonly note?: string
  /** Variables that are known and not weights of the model: `[pattern, reason]`. */
  readonly skipped: readonly (readonly [RegExp, string])[]
}

const LAYOUTS = { T: 'transposed', G: 'grouped' } as const

export const toRows = (prefixed: boolean, rows: readonly Row[]): NameRow[] =>
  rows.map(([slot, name, dims, layout]) => ({
    slot,
    name,
    dims: (dims === '' ? [] : dims.split(' ')) as Dim[],
    layout: layout === undefined ? 'as_is' : LAYOUTS[layout],
    prefixed,
  }))

/** Rows of one layer under the scope of its slots and that of its names. */
export const inScope = (slotScope: string, nameScope: string, rows: readonly Row[]): Row[] =>
  rows.map(([slot, name, ...rest]): Row => [slotScope + slot, nameScope + name, ...rest])
