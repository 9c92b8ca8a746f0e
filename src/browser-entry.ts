/**
 * `albertkit/browser`: the library over files of a page. The functions are those of `albertkit`, with the same types
 * and the same results; they run in a worker, on blobs, files, folders and addresses that are read by ranges.
 */

export { ERROR_CODES, type ErrorCode } from './base/error-codes.js'
export { AlbertkitError, type ErrorDetail, type ErrorKind, type ErrorPlace } from './base/errors.js'
export { PROGRESS_STAGES, type OnProgress, type ProgressStage, type ProgressStep } from './base/abort.js'
export { PRECISIONS, TARGET_NAMES as TARGETS } from './base/artefact-layout.js'
export { toJsonText } from './base/json-text.js'
export { openKit, type AddOptions, type Kit, type KitOptions, type SaveOptions } from './web/kit/kit.js'
export type {
  ArtefactsReport,
  AttentionOfLayer,
  ClassAnswer,
  InputToken,
  MaskAnswer,
  OrderAnswer,
  PageTask,
  Runnable as PageRunnable,
  SpanAnswer as PageSpanAnswer,
  TagAnswer,
  TextAnswer,
  TextLayers,
  TextReading,
  TextRequest,
  VectorAnswer,
} from './api/page/report.js'
export type { TextLayersOptions } from './api/page/text-layers.js'
export type { ModelInput } from './web/kit/gather.js'
export type { ReadTextOptions } from './web/kit/open-texts.js'
export type { Operations } from './web/kit/operations.js'
export type { KitFile, RemoteFile } from './web/kit/protocol.js'

// Types are those of `albertkit`.
export type * from './index.js'
