/**
 * Variables that change what a model computes and that belong to no family here, by patterns of their names. Messages
 * use `words`; a name that fits no row is reported without a description.
 */
export interface ForeignPart {
  readonly pattern: RegExp
  /** Description for messages, after "it looks like …". */
  readonly words: string
  /** True if the part acts on the encoder even if its names are outside the encoder's scope. */
  readonly anywhere?: true
  /** Advice in place of the usual one. */
  readonly advice?: string
}

const MERGE_LORA =
  'merge the deltas first, with `mergeLora` (adapter_config.json beside the ' +
  'weights has their scale) or PEFT merge_and_unload()'
const MERGE_PEFT = 'merge it with PEFT (merge_and_unload()) and convert the result'

// prettier-ignore
export const FOREIGN_PARTS: readonly ForeignPart[] = [
  { pattern: /(^|[./_])lora_(A|B|embedding_[AB]|magnitude|E|P|ranknum)\b|(^|\.)lora_(down|up)\b/, words: 'LoRA deltas (PEFT)', anywhere: true, advice: MERGE_LORA },
  { pattern: /\.base_layer\./, words: 'a layer that PEFT has wrapped (LoRA or alike)', anywhere: true, advice: MERGE_LORA },
  { pattern: /\.modules_to_save\.|\.original_module\./, words: 'a module that PEFT has trained beside the original', anywhere: true, advice: MERGE_LORA },
  { pattern: /(^|\.)(ia3_l|hada_w[12]_|lokr_w|oft_[rs]\b|boft_|vera_lambda|randlora_|fourierft_|hra_|bone_|shira_)/, words: 'an adapter of PEFT other than LoRA', anywhere: true, advice: MERGE_PEFT },
  { pattern: /(^|[./])(prefix_tuning|prefix_encoder|prefix_tokens|past_key_values|control_trans)\b/, words: 'prefix tuning (P-Tuning v2)', anywhere: true },
  { pattern: /(^|[./])(prompt_encoder|prompt_embeddings?|soft_prompts?|learned_embedding)\b/, words: 'prompt tuning', anywhere: true },
  { pattern: /(^|[./_])(houlsby|pfeiffer|parallel_adapter|compacter|phm_|invertible_adapters?|adapter_fusion|fusion_layer)/i, words: 'adapters (Houlsby, Pfeiffer or their kin)', anywhere: true },
  { pattern: /(^|[./_])adapters?(_[a-z\d]+)*([./]|$)/i, words: 'adapters (Houlsby, Pfeiffer or their kin)', anywhere: true },
  { pattern: /\.(SCB|weight_format|absmax|nested_absmax|quant_map|nested_quant_map)$|quant_state\./, words: 'weights of bitsandbytes in 8 bits (int8) or 4 bits', anywhere: true, advice: 'load it with transformers, dequantize() it and save it again' },
  { pattern: /\.(qweight|qzeros|g_idx|weight_packed|weight_scale|weight_zero_point)$/, words: 'quantised weights (GPTQ, AWQ or alike)', anywhere: true, advice: 'save what the quantised weights stand for as float32 or float16' },
  { pattern: /activation_post_process|fake_quant|_amax$|\.scale_factor$|_packed_params/, words: 'quantisation-aware training (PyTorch)', anywhere: true },
  { pattern: /bitfit|bias_delta|intrinsic_(said|dimension)|diff_?pruning/i, words: 'differences that were trained apart (BitFit, diff pruning)', anywhere: true },
  { pattern: /task_type_embeddings?/, words: "ERNIE's task type embeddings (use_task_id)" },
  { pattern: /relative_(attention_bias|positions?)|relative_positions_(encoding|embeddings)|distance_embedding|rel_embeddings|rel_pos|relpos|pos_(q_|key_|query_)?proj/i, words: 'relative positions (NEZHA, DeBERTa, or position_embedding_type relative_key)' },
  { pattern: /rotary|rope|inv_freq|sinusoid|embed_positions/i, words: 'rotary or sinusoidal positions (RoFormer)' },
  { pattern: /embeddings_project/, words: "ELECTRA's projection of the embeddings", anywhere: true },
  { pattern: /crossattention|cross_attention|encoder_attention/, words: 'cross-attention of a decoder' },
  { pattern: /glyph|pinyin/i, words: 'glyph or pinyin embeddings (ChineseBERT)' },
  { pattern: /visual_|image_|[xyhw]_position_embeddings|entity_(embeddings|type)|token_boxes/, words: 'embeddings of images, layout or entities' },
  { pattern: /weight_orig$|weight_mask$|bias_orig$|bias_mask$/, words: 'pruning that is not yet applied (torch.nn.utils.prune)', anywhere: true, advice: 'apply it with torch.nn.utils.prune.remove and save the model again' },
  { pattern: /(weight_[gv]|original[01])$/, words: 'weight normalisation (torch.nn.utils)', anywhere: true, advice: 'apply it with remove_parametrizations and save the model again' },
  { pattern: /(^|[./_])(gates?|experts?|router|moe)([./_]|$)/i, words: 'gates or a mixture of experts' },
  { pattern: /highway|early_exit|off_?ramp/i, words: 'early exits (DeeBERT)' },
  { pattern: /(conv|lstm|gru|rnn)\d*[./_]/i, words: 'convolutions or a recurrent layer within the encoder' },
]

/** Descriptions of heads outside of the encoder, by pattern of their names. */
// prettier-ignore
const HEAD_WORDS: readonly (readonly [RegExp, string])[] = [
  [/crf|transitions?$/i, 'a CRF'],
  [/lstm|gru|rnn/i, 'a recurrent layer'],
  [/conv/i, 'a convolution'],
]

/** The foreign part that a variable belongs to by its name, or null. */
export const foreignPartOf = (name: string): ForeignPart | null =>
  FOREIGN_PARTS.find(({ pattern }) => pattern.test(name)) ?? null

/** Description of a variable outside of the encoder, or null. */
export const headWordsOf = (name: string): string | null =>
  HEAD_WORDS.find(([pattern]) => pattern.test(name))?.[1] ?? null
