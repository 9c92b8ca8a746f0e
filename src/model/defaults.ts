const ONE_GROUP = { num_hidden_groups: 1, inner_group_num: 1, layer_norm_eps: 1e-12 }
const BERT_BASE = {
  ...ONE_GROUP,
  hidden_size: 768,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  intermediate_size: 3072,
  max_position_embeddings: 512,
}
const ALBERT_XXLARGE = {
  ...ONE_GROUP,
  embedding_size: 128,
  hidden_size: 4096,
  num_hidden_layers: 12,
  num_attention_heads: 64,
  intermediate_size: 16384,
  max_position_embeddings: 512,
  type_vocab_size: 2,
}

/** Defaults of the genuine code: modeling.py of albert_zh, google-research/albert and bert; transformers' configuration classes. */
export const DEFAULTS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  zh: { ...BERT_BASE, type_vocab_size: 16 },
  google: ALBERT_XXLARGE,
  google_fast: ALBERT_XXLARGE,
  bert: { ...BERT_BASE, type_vocab_size: 16 },
  'hf-albert': { ...ALBERT_XXLARGE, vocab_size: 30000 },
  'hf-bert': { ...BERT_BASE, type_vocab_size: 2, vocab_size: 30522 },
}
