import type { NameTable } from './row.js'

/**
 * Variables that are known and not weights of the model, by the library that writes them: state of optimizers, counters
 * of training, buffers and copies. Each is listed with its reason and left out.
 */
type Skipped = NameTable['skipped']

/**
 * Names of moving averages; the first group is the name of the averaged variable. TensorFlow names its class last
 * (`ExponentialMovingAverage`, or what `name=` says), PyTorch's implementations keep a copy of the model.
 */
export const AVERAGES: readonly RegExp[] = [
  /^(.+)\/(?:ExponentialMovingAverage|MovingAverage|moving_average|ema|EMA)$/,
  /^(?:ema_model|model_ema|averaged_model|swa_model|ema|ema_shadow|shadow)\.(?:module\.)?(.+)$/,
  /^(.+\.(?:weight|bias|gamma|beta))[._]ema$/,
]
const AVERAGED: Skipped = AVERAGES.map((pattern) => [pattern, 'moving average'])

/** TensorFlow: slots of the optimizers that these checkpoints were trained with, and counters of training. */
export const TENSORFLOW_SKIPPED: Skipped = [
  [/\/(adam|lamb)_[mv]$/, 'optimizer state'],
  [
    /\/(Adam|Adam_1|LAMB|LAMB_1|Momentum|Adagrad|RMSProp|RMSProp_1|Adadelta|Adadelta_1|Ftrl|Ftrl_1)$/,
    'optimizer state',
  ],
  // Adafactor of tensor2tensor and of Mesh TensorFlow: sums by row and by column, which have other shapes than the weight.
  [/\/Adafactor(_\d)?$|\/v[rc]$|_slot_(m|v|vr|vc)$/, 'optimizer state'],
  [/^beta[12]_power$/, 'optimizer state'],
  [/\/\.OPTIMIZER_SLOT\/|(^|\/)(optimizer|optimizer_weights|Adam|AdamW|AdamWeightDecay|LAMB)\//, 'optimizer state'],
  ...AVERAGED,
  [/^(start_logits|end_logits|answer_class)\//, 'head of SQuAD 2.0, whose answers come from a beam search'],
  [/^(global_step|save_counter|current_loss_scale|good_steps|bad_steps)$/, 'training counter'],
]

/** transformers in PyTorch: buffers of indices, and the averaged copies of a trainer. */
export const TRANSFORMERS_SKIPPED: Skipped = [
  [/(^|\.)embeddings\.(position_ids|token_type_ids)$/, 'buffer of indices'],
  ...AVERAGED,
]

/** transformers in TensorFlow: a head that uses the word embeddings holds all embeddings again. */
export const TRANSFORMERS_TF_SKIPPED: Skipped = [
  [/^(?:predictions|mlm___cls)\/[^/]+\/(?:albert|bert)\/embeddings\/(?!word_embeddings\/)/, 'copy of the embeddings'],
  [/(^|\/)optimizer_weights\//, 'optimizer state'],
  [/(^|\/)embeddings\/position_ids$/, 'buffer of indices'],
]

/** keras-hub: state that Keras 3 stores in addition to the layers. */
export const KERAS_HUB_SKIPPED: Skipped = [
  [/(^|\/)seed_generator\//, 'state of a random generator'],
  [/(^|\/)optimizer\//, 'optimizer state'],
  [/(^|\/)_?(compile_)?(metrics?|loss_tracker|loss)\//, 'state of a metric'],
]
