import { inspectSchema } from './inspect.js'
import { convertSchema } from './convert.js'
import { buildSchema } from './build.js'
import { buildConfigSchema } from './build-config.js'
import { benchSchema } from './bench.js'
import { checkSchema } from './check.js'
import { initSchema } from './init.js'
import { finetuneBatchesSchema, finetuneGraphSchema, finetuneSchema, sweepSchema } from './finetune.js'
import { diffSchema } from './diff.js'
import { verifySchema } from './verify.js'
import { doctorSchema, gpuReportSchema } from './doctor.js'
import { paramsSchema, paperSchema } from './params.js'
import { layersSchema } from './layers.js'
import { weightsSchema } from './weights.js'
import { errorSchema } from './error.js'
import {
  predictSchema,
  predictLineSchema,
  embedSchema,
  embedLineSchema,
  similaritySchema,
  badLineSchema,
} from './predict.js'
import { evaluateSchema } from './evaluate.js'
import { shardSchema, mergeSchema } from './shard.js'
import { queueSubmitSchema, queueWorkSchema, queueStatusSchema } from './queue.js'
import { tokenizeSchema, tokenizeLineSchema, featuresLineSchema } from './tokenize.js'
import { fillMaskLineSchema, fillMaskSchema, sentenceOrderSchema } from './single.js'

/**
 * The `--json` documents and the lines of text commands, by the name of their file in docs/schemas, which is generated
 * from them (`npx vitest -u test/docs/schemas.test.ts`). What the commands print is held against them in tests.
 */
export const SCHEMAS = {
  inspect: inspectSchema,
  convert: convertSchema,
  bench: benchSchema,
  build: buildSchema,
  config: buildConfigSchema,
  check: checkSchema,
  init: initSchema,
  diff: diffSchema,
  verify: verifySchema,
  doctor: doctorSchema,
  'gpu-report': gpuReportSchema,
  params: paramsSchema,
  layers: layersSchema,
  weights: weightsSchema,
  paper: paperSchema,
  error: errorSchema,
  predict: predictSchema,
  'predict-line': predictLineSchema,
  evaluate: evaluateSchema,
  embed: embedSchema,
  'embed-line': embedLineSchema,
  similarity: similaritySchema,
  'bad-line': badLineSchema,
  shard: shardSchema,
  merge: mergeSchema,
  'finetune-sweep': sweepSchema,
  'queue-submit': queueSubmitSchema,
  'queue-work': queueWorkSchema,
  'queue-status': queueStatusSchema,
  tokenize: tokenizeSchema,
  'tokenize-line': tokenizeLineSchema,
  'features-line': featuresLineSchema,
  'fill-mask': fillMaskSchema,
  'fill-mask-line': fillMaskLineSchema,
  'sentence-order': sentenceOrderSchema,
  finetune: finetuneSchema,
  'finetune-graph': finetuneGraphSchema,
  'finetune-batches': finetuneBatchesSchema,
}
