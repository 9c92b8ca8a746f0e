import { shownJson } from '../base/json-text.js'
import { unsupported, type AlbertkitError } from '../base/errors.js'

/** A model of another architecture, known by its names. */
interface ForeignModel {
  readonly title: string
  /** A name that only this model has. */
  readonly sign?: RegExp
  /** Scope of its names in its original code. */
  readonly scope?: RegExp
  /** `model_type` of transformers. */
  readonly type?: RegExp
}

// prettier-ignore
const FOREIGN_MODELS: readonly ForeignModel[] = [
  { title: 'ELECTRA', sign: /embeddings_project|discriminator_predictions|generator_predictions/, scope: /(^|[./])electra$/, type: /^electra$/ },
  { title: 'NEZHA', sign: /relative_positions_encoding/, scope: /(^|[./])nezha$/, type: /^nezha$/ },
  { title: 'DeBERTa', sign: /\.rel_embeddings\.|attention\.self\.(in_proj|pos_proj|pos_q_proj|query_proj|pos_key_proj)\./, scope: /(^|[./])deberta$/, type: /^deberta/ },
  { title: 'DistilBERT', sign: /transformer\.layer\.\d+\.(attention\.q_lin|sa_layer_norm)|transformer\/layer_?\._?\d+\/attention\/q_lin/, scope: /(^|[./])distilbert$/, type: /^distilbert$/ },
  { title: 'RoBERTa', sign: /(^|\.)lm_head\.(layer_norm|dense)\./, scope: /(^|[./])(xlm_)?roberta$/, type: /roberta|camembert|^data2vec-text$/ },
  { title: 'ERNIE', sign: /task_type_embeddings?/, scope: /(^|[./])ernie$/, type: /^ernie/ },
  { title: 'MobileBERT', sign: /(^|[./])(embedding_transformation|bottleneck)[./]/, scope: /(^|[./])mobilebert$/, type: /^mobilebert$/ },
  { title: 'BART', sign: /decoder\.layers\.\d+\.encoder_attn\./, type: /bart$/ },
  { title: 'RoFormer', sign: /embed_positions|rotary/, scope: /(^|[./])roformer$/, type: /^roformer/ },
  { title: 'MPNet', sign: /encoder\.relative_attention_bias/, scope: /(^|[./])mpnet$/, type: /^mpnet$/ },
  { title: 'XLNet', sign: /rel_attn/, scope: /(^|[./])xlnet$/, type: /^xlnet$/ },
  { title: 'NomicBERT', sign: /(^|\.)encoder\.layers\.\d+\.(attn|mixer)\.Wqkv\.|(^|\.)emb_ln\./, type: /^nomic_bert/ },
  { title: 'GTE (NewModel)', sign: /attention\.qkv_proj\./, scope: /(^|[./])new$/, type: /^new$/ },
  { title: 'JinaBERT', sign: /\.mlp\.(gated_layers|up_gated_layer)\./, type: /^jina/ },
  { title: 'MosaicBERT', sign: /attention\.self\.Wqkv\./ },
  { title: 'ModernBERT', sign: /\.attn\.Wqkv\./, type: /^modernbert/ },
  { title: 'GPT-2', sign: /(^|\.)h\.\d+\.attn\.c_attn\./, type: /^gpt2$/ },
  { title: 'T5', sign: /\.SelfAttention\.q\./, type: /^(m?t5|umt5)$/ },
  { title: 'Longformer', sign: /attention\.self\.(query|key|value)_global\./, scope: /(^|[./])longformer$/, type: /^longformer$/ },
  { title: 'BigBird', sign: /^bert\.pooler\.weight$/, type: /^(big_bird|bigbird)/ },
  { title: 'LayoutLM', sign: /embeddings\.[xyhw]_position_embeddings\./, scope: /(^|[./])layoutlm(v\d)?$/, type: /^layoutlm/ },
  { title: 'XLM', sign: /(^|\.)attentions\.\d+\.q_lin\./, type: /^(xlm|flaubert)$/ },
  { title: 'SqueezeBERT', sign: /encoder\.layers\.\d+\.attention\.query\./, scope: /(^|[./])squeezebert$/, type: /^squeezebert$/ },
  { title: 'ConvBERT', scope: /(^|[./])convbert$/, type: /^convbert$/ },
  { title: 'data2vec', scope: /(^|[./])data2vec_text$/ },
  { title: 'Nyströmformer', scope: /(^|[./])nystromformer$/, type: /^nystromformer$/ },
  { title: 'I-BERT', sign: /\.(weight_integer|act_scaling_factor)$/, scope: /(^|[./])ibert$/, type: /^ibert$/ },
  { title: 'LUKE', sign: /\.(w2e|e2w|e2e)_query\./, scope: /(^|[./])m?luke$/, type: /^luke$/ },
  { title: 'LiLT', sign: /layout_embeddings\./, scope: /(^|[./])lilt$/, type: /^lilt$/ },
  { title: 'ESM', scope: /(^|[./])esm$/, type: /^esm$/ },
  { title: 'FNet', scope: /(^|[./])fnet$/, type: /^fnet$/ },
  { title: 'CANINE', sign: /HashBucketCodepointEmbedder/, scope: /(^|[./])canine$/, type: /^canine$/ },
  { title: 'MarkupLM', sign: /xpath_embeddings\./, scope: /(^|[./])markuplm$/, type: /^markuplm$/ },
  { title: 'VisualBERT', sign: /visual_token_type_embeddings/, scope: /(^|[./])visual_bert$/, type: /^visual_bert$/ },
  { title: 'BROS', sign: /bbox_(embeddings|sinusoid_emb)\./, scope: /(^|[./])bros$/, type: /^bros$/ },
  { title: 'TAPAS', sign: /embeddings\.token_type_embeddings_\d/, scope: /(^|[./])tapas$/, type: /^tapas$/ },
  { title: 'YOSO', scope: /(^|[./])yoso$/, type: /^yoso$/ },
  { title: 'MRA', scope: /(^|[./])mra$/, type: /^mra$/ },
  { title: 'Splinter', scope: /(^|[./])splinter$/, type: /^splinter$/ },
  { title: 'Megatron-BERT', sign: /encoder\.layer\.\d+\.(attention\.)?ln\.weight$/, type: /^megatron-bert$/ },
  { title: 'Funnel Transformer', sign: /attention\.r_w_bias$/, type: /^funnel$/ },
  { title: 'RemBERT', scope: /(^|[./])rembert$/, type: /^rembert$/ },
  { title: 'fairseq (RoBERTa)', sign: /sentence_encoder\.|encoder\.layers\.\d+\.self_attn\./ },
]

/** Model of another architecture that alone has some of `names`, or null. */
export const foreignModelOf = (names: Iterable<string>): string | null => {
  const all = [...names]
  return FOREIGN_MODELS.find(({ sign }) => sign !== undefined && all.some((name) => sign.test(name)))?.title ?? null
}

/** Model whose code uses `scope` (`electra/`, `roberta.`) for its names, or null. */
export const foreignModelOfScope = (scope: string): string | null => {
  const bare = scope.replace(/[./]$/, '')
  return FOREIGN_MODELS.find((model) => model.scope?.test(bare) === true)?.title ?? null
}

/** Usual name of the model of a transformers `model_type`, or null. */
export const foreignModelOfType = (type: string): string | null =>
  FOREIGN_MODELS.find((model) => model.type?.test(type) === true)?.title ?? null

/**
 * Error for a configuration whose `model_type` is that of another architecture; null if it is ALBERT's or BERT's, or
 * absent.
 */
export function refuseModelType(type: unknown, file: string, architecture?: 'albert' | 'bert'): AlbertkitError | null {
  if (type === undefined || type === null || type === 'albert' || type === 'bert') return null
  const title = typeof type === 'string' ? foreignModelOfType(type) : null
  const own = architecture === undefined ? 'ALBERT or BERT' : architecture === 'bert' ? 'BERT' : 'ALBERT'
  return unsupported(
    `model_type is ${shownJson(type)}${title === null ? '' : ` (${title})`}: albertkit runs albert and bert`,
    {
      file,
      field: 'model_type',
      code: 'architecture-unsupported',
      hint:
        title === null
          ? `weights may be named alike and used otherwise; if it is ${own} by another name, ` +
            'give a configuration that says so with `config`'
          : `${title} computes something else with weights that are named ` +
            'alike: convert it with the tools of its own code',
    },
  )
}
