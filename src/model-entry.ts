/**
 * `albertkit/model`: names, configuration, typed tree, forward pass, accounting and the float64 reference. Nothing here
 * needs Node: a `TensorSource` over bytes of any origin is all that it reads.
 */

// Errors
export { ERROR_CODES, type ErrorCode } from './base/error-codes.js'
export { AlbertkitError, type ErrorDetail, type ErrorKind, type ErrorPlace } from './base/errors.js'

// Tensors
export { DTYPE_BYTES, elementCount, readAll, type DType, type GraphNode } from './formats/core/source.js'
export type { SourceGraph, TensorInfo, TensorSource } from './formats/core/source.js'
export { readLogical, readStored } from './model/tensors/read.js'

// Names
export { identify } from './model/names/identify.js'
export type { Identification, MappedVariable, SkippedVariable } from './model/names/identification.js'
export type { NameMatch } from './model/names/match.js'
export type { Indices } from './model/names/placeholders.js'
export type { Dim, NameRow, NameTable, Sign } from './model/names/row.js'
export { NAME_TABLES } from './model/names/tables.js'

// Configuration and typed tree
export { ACTIVATIONS } from './model/config.js'
export { parseConfig, type Activation, type ConfigNumbers, type ConfigOptions } from './model/config.js'
export type { Family, MlmHeadSettings, ModelConfig, RawConfig } from './model/config.js'
export { planModel, type ClassifierKinds, type MissingVariable, type ModelPlan } from './model/load/build.js'
export type { AlbertModel, Block, ClassifierHead, Dense, Embeddings } from './model/albert.js'
export type { LayerNorm, Layout, MlmHead, OutputHead, Parameter, SopHead } from './model/albert.js'

// Forward pass and reference
export { forward, type ForwardOutputs } from './model/forward.js'
export type { ForwardInputs, Ops } from './model/ops.js'
export {
  TASKS,
  type ClassifierKind,
  type HeadName,
  type HeadSelection,
  type ResolvedTask,
  type Task,
} from './model/tasks.js'
export { headsOf, outputNames, resolveTask, selectOutputs } from './model/outputs.js'
export type { Factor, Matrix, MatrixProduct, ProductRepeat, ProductSize, Rows } from './model/reference/product.js'
export type { Processors } from './model/reference/processors.js'
export { ReferenceOps, type Tensor } from './model/reference/reference.js'
export type { DynamicWeights } from './model/reference/reference-dynamic.js'
export type { ScopePath } from './model/reference/scope-path.js'
export { runReference, type ModelInputs } from './model/reference/run.js'

// Accounting
export { countParameters, type ParameterReport, type Part, type PartCounts } from './model/accounting/count.js'
export { accountOf, type Account, type AccountLine } from './model/accounting/account.js'
export type { Product } from './model/accounting/formula.js'
export { flopsOf, footprintOf, type Flops, type Footprint } from './model/accounting/footprint.js'
export type { Memory, Workload } from './model/accounting/footprint.js'
export { findPreset, PRESETS, type Preset } from './model/accounting/presets.js'
export { SHARINGS } from './model/accounting/slots.js'
export { slotsIn, slotsOf, type Sharing, type Slot, type SlotOptions } from './model/accounting/slots.js'
export { type ProblemType } from './model/problem-type.js'
