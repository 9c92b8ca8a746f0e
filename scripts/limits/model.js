// A tiny sound ALBERT, in the names of transformers and of google-research, to which the files of kinds.js add.
import { entry, times } from './bytes.js'

const [E, H, I, V, P] = [8, 16, 32, 40, 64]
export const VOCABULARY = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...times(V - 5, (i) => `w${i}`)]
const SIZES = {
  embedding_size: E,
  hidden_size: H,
  intermediate_size: I,
  hidden_act: 'gelu',
  inner_group_num: 1,
  max_position_embeddings: P,
  num_attention_heads: 2,
  num_hidden_groups: 1,
  num_hidden_layers: 2,
  type_vocab_size: 2,
  vocab_size: V,
}
const json = (fields) => Buffer.from(JSON.stringify(fields))
export const hfConfig = (more = {}) => json({ architectures: ['AlbertModel'], model_type: 'albert', ...SIZES, ...more })
export const tfConfig = () => json({ ...SIZES, down_scale_factor: 1, gap_size: 0, net_structure_type: 0 })

const filled = (shapes) =>
  shapes.map(([name, ...shape], at) => {
    const count = shape.reduce((n, size) => n * size, 1)
    return [name, shape, Buffer.from(Float32Array.from({ length: count }, (_, i) => Math.sin(i + at) / 10).buffer)]
  })

const LAYER = 'albert.encoder.albert_layer_groups.0.albert_layers.0.'
/** Tensors `[name, shape, bytes]`. */
export const hfTensors = () =>
  filled([
    ['albert.embeddings.LayerNorm.bias', E],
    ['albert.embeddings.LayerNorm.weight', E],
    ['albert.embeddings.position_embeddings.weight', P, E],
    ['albert.embeddings.token_type_embeddings.weight', 2, E],
    ['albert.embeddings.word_embeddings.weight', V, E],
    ['albert.encoder.embedding_hidden_mapping_in.bias', H],
    ['albert.encoder.embedding_hidden_mapping_in.weight', H, E],
    ...['query', 'key', 'value', 'dense'].flatMap((name) => [
      [`${LAYER}attention.${name}.bias`, H],
      [`${LAYER}attention.${name}.weight`, H, H],
    ]),
    ...['attention.LayerNorm', 'full_layer_layer_norm'].flatMap((name) => [
      [`${LAYER}${name}.bias`, H],
      [`${LAYER}${name}.weight`, H],
    ]),
    [`${LAYER}ffn.bias`, I],
    [`${LAYER}ffn.weight`, I, H],
    [`${LAYER}ffn_output.bias`, H],
    [`${LAYER}ffn_output.weight`, H, I],
    ['albert.pooler.bias', H],
    ['albert.pooler.weight', H, H],
  ])

const GROUP = 'bert/encoder/transformer/group_0/inner_group_0/'
export const tfTensors = () =>
  filled([
    ['bert/embeddings/LayerNorm/beta', E],
    ['bert/embeddings/LayerNorm/gamma', E],
    ['bert/embeddings/position_embeddings', P, E],
    ['bert/embeddings/token_type_embeddings', 2, E],
    ['bert/embeddings/word_embeddings', V, E],
    ['bert/encoder/embedding_hidden_mapping_in/bias', H],
    ['bert/encoder/embedding_hidden_mapping_in/kernel', E, H],
    ...['LayerNorm', 'LayerNorm_1'].flatMap((name) => [
      [`${GROUP}${name}/beta`, H],
      [`${GROUP}${name}/gamma`, H],
    ]),
    ...['output/dense', 'self/key', 'self/query', 'self/value'].flatMap((name) => [
      [`${GROUP}attention_1/${name}/bias`, H],
      [`${GROUP}attention_1/${name}/kernel`, H, H],
    ]),
    [`${GROUP}ffn_1/intermediate/dense/bias`, I],
    [`${GROUP}ffn_1/intermediate/dense/kernel`, H, I],
    [`${GROUP}ffn_1/intermediate/output/dense/bias`, H],
    [`${GROUP}ffn_1/intermediate/output/dense/kernel`, I, H],
    ['bert/pooler/dense/bias', H],
    ['bert/pooler/dense/kernel', H, H],
  ])

/** The model as entries of a bundle, and the data that they point to. */
export function tfEntries() {
  let at = 0
  const tensors = tfTensors()
  const entries = tensors.map(([name, shape, bytes]) => {
    at += bytes.length
    return [name, entry(shape, at - bytes.length, bytes)]
  })
  return { entries, data: Buffer.concat(tensors.map(([, , bytes]) => bytes)) }
}
