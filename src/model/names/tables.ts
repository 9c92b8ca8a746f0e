import { BERT4KERAS_TABLES } from './bert4keras.js'
import { HUGGING_FACE_TABLES } from './huggingface.js'
import { KERAS_HUB_TABLES } from './keras-hub.js'
import type { NameTable } from './row.js'
import { TENSORFLOW_TABLES } from './tensorflow.js'
import { TRANSFORMERS_TF_TABLES } from './transformers-tf.js'

/** All name tables. If the signs of two are found and as many names fit, the first one counts. */
export const NAME_TABLES: readonly NameTable[] = [
  ...TENSORFLOW_TABLES,
  ...HUGGING_FACE_TABLES,
  ...TRANSFORMERS_TF_TABLES,
  ...KERAS_HUB_TABLES,
  ...BERT4KERAS_TABLES,
]
