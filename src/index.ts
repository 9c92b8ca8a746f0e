/**
 * albertkit as a library: open, identify, inspect, convert and verify ALBERT and BERT models. The command line uses
 * nothing but this.
 */
export { AlbertkitError, type ErrorKind, type ErrorPlace } from './base/errors.js'
export {
  examineModel,
  openModel,
  type ExaminedModel,
  type OpenedModel,
  type OpenModelOptions,
} from './api/open/open.js'
export { inspectModel, type InspectReport, type VariableReport } from './api/inspect/inspect.js'
export { convertModel, type ConvertOptions, type ConvertReport } from './api/convert/convert.js'
export { benchModel, type BenchOptions, type BenchReport } from './api/bench/bench.js'
export type { GateReport } from './api/gate/gate.js'
export { initModel, type InitOptions, type InitReport } from './api/init/init.js'
export { diffModels, type DiffOptions, type DiffReport, type SlotDiff } from './api/diff/diff.js'
export { compareLayers, modelLayers, type LayersOptions, type ModelLayers } from './api/layers/layers.js'
export { analyseWeights, type WeightsOptions, type WeightsReport } from './api/weights/weights.js'
export { traceReference, TraceMeans, type HeadMeans, type LayerMeans } from './model/reference/trace.js'
export { tokenizeFile, tokenizeLine, tokenizerOf, type TokenizedLine } from './api/tokenize/tokenize.js'
export { openTextModel, type TextModel, type TextModelOptions } from './api/inference/model.js'
export { predictLines, type Prediction } from './api/inference/predict.js'
export type { Listener, TextJob } from './api/inference/job.js'
export { predictFile, type PredictFileOptions, type TextFileReport } from './api/inference/predict-file.js'
export { evaluate, type Evaluation } from './api/inference/evaluate.js'
export { evaluateFile, type EvaluationReport } from './api/inference/evaluate-file.js'
export { embedFile, similarity, type Similarity } from './api/inference/embed-file.js'
export { runTextShard } from './api/sharded/shards.js'
export { embedLines, openEmbedder, type Embedding } from './api/inference/embed.js'
export { fillMask, sentenceOrder, type FilledMask, type SentenceOrder } from './api/inference/single.js'
export { mergeDirectory, type Merged } from './api/sharded/merge.js'
export { ExampleReader, type Example } from './text/data/examples.js'
export { readLines, type Line } from './text/data/lines.js'
export { loadTokenizer, type LoadTokenizerOptions } from './text/tokenizers/load.js'
export { makeFeatures, padFeatures, type Features } from './text/data/features.js'
export { readFeatures, writeFeatures, type WriteFeaturesOptions } from './api/tokenize/feature-files.js'
export type { FeatureRecord } from './text/data/feature-record.js'
export type { Token, Tokenizer } from './text/tokenizers/tokenizer.js'
export { verifyModel, verifyOpened, type VerifyOptions, type VerifyReport } from './api/verify/verify.js'
export { examineMachine, type DoctorOptions, type DoctorReport } from './api/doctor/doctor.js'
export { identify, type Identification } from './model/names/identify.js'
export { openSource } from './formats/core/open.js'
export { readAll, type DType, type OpenOptions, type TensorInfo, type TensorSource } from './formats/core/source.js'
export type { AlbertModel, Block, Dense, LayerNorm, Parameter, SopHead } from './model/albert.js'
export type { Activation, Family, ModelConfig } from './model/config.js'
export { forward, type ForwardOutputs, type HeadSelection } from './model/forward.js'
export type { ForwardInputs, Ops } from './model/ops.js'
export { runReference, type ModelInputs } from './model/reference/run.js'
export { countParameters, type ParameterReport } from './model/accounting/count.js'
export type { Task } from './model/outputs.js'
export { openRunner, type Runner } from './runtime/runners.js'
export type { Comparison } from './compare/compare.js'
