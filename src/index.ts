/**
 * albertkit as a library: open, identify, inspect, convert and verify ALBERT and BERT models. The command line uses
 * nothing but this.
 */
export { AlbertkitError, type ErrorKind, type ErrorPlace } from './errors.js'
export { examineModel, openModel, type ExaminedModel, type OpenedModel, type OpenModelOptions } from './api/open.js'
export { inspectModel, type InspectReport, type VariableReport } from './api/inspect.js'
export { convertModel, type ConvertOptions, type ConvertReport } from './api/convert.js'
export { initModel, type InitOptions, type InitReport } from './api/init.js'
export { diffModels, type DiffOptions, type DiffReport, type SlotDiff } from './api/diff.js'
export { verifyModel, verifyOpened, type VerifyOptions, type VerifyReport } from './api/verify.js'
export { identify, type Identification } from './model/identify.js'
export { openSource } from './formats/open.js'
export { readAll, type DType, type OpenOptions, type TensorInfo, type TensorSource } from './formats/source.js'
export type { AlbertModel, Block, Dense, LayerNorm, Parameter } from './model/albert.js'
export type { Activation, Family, ModelConfig } from './model/config.js'
export { forward, type ForwardOutputs, type HeadSelection } from './model/forward.js'
export type { ForwardInputs, Ops } from './model/ops.js'
export { runReference, type ModelInputs } from './model/reference-run.js'
export { countParameters, type ParameterReport } from './model/parameters.js'
export type { Task } from './model/outputs.js'
export { openRunner, type Runner } from './runtime/index.js'
export type { Comparison } from './verify/compare.js'
