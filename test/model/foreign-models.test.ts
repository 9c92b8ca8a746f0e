import { describe, expect, it } from 'vitest'
import {
  foreignModelOf,
  foreignModelOfScope,
  foreignModelOfType,
  refuseModelType,
} from '../../src/model/foreign-models.js'

/** A name, a scope and a model_type of each architecture, as its own code writes them. */
const MODELS: readonly (readonly [
  title: string,
  sign: string | null,
  scope: string | null,
  types: readonly string[],
])[] = [
  ['ELECTRA', 'electra.embeddings_project.weight', 'electra/', ['electra']],
  ['NEZHA', 'bert/encoder/layer_0/attention/self/relative_positions_encoding', 'nezha.', ['nezha']],
  ['DeBERTa', 'deberta.encoder.rel_embeddings.weight', 'deberta.', ['deberta', 'deberta-v2']],
  ['DistilBERT', 'distilbert.transformer.layer.0.attention.q_lin.weight', 'distilbert.', ['distilbert']],
  ['RoBERTa', 'lm_head.layer_norm.weight', 'roberta.', ['roberta', 'xlm-roberta', 'camembert', 'data2vec-text']],
  ['ERNIE', 'ernie.embeddings.task_type_embeddings.weight', 'ernie.', ['ernie', 'ernie_m']],
  ['MobileBERT', 'mobilebert.embeddings.embedding_transformation.weight', 'mobilebert.', ['mobilebert']],
  ['RoFormer', 'roformer.encoder.embed_positions.weight', 'roformer.', ['roformer']],
  ['MPNet', 'mpnet.encoder.relative_attention_bias.weight', 'mpnet.', ['mpnet']],
  ['XLNet', 'transformer.layer.0.rel_attn.q', 'xlnet.', ['xlnet']],
  ['ModernBERT', 'model.layers.0.attn.Wqkv.weight', null, ['modernbert']],
  ['GPT-2', 'transformer.h.0.attn.c_attn.weight', null, ['gpt2']],
  ['T5', 'encoder.block.0.layer.0.SelfAttention.q.weight', null, ['t5', 'mt5', 'umt5']],
  ['Longformer', 'longformer.encoder.layer.0.attention.self.query_global.weight', 'longformer.', ['longformer']],
  ['BigBird', 'bert.pooler.weight', null, ['big_bird', 'bigbird_pegasus']],
  ['LayoutLM', 'layoutlm.embeddings.x_position_embeddings.weight', 'layoutlm.', ['layoutlm', 'layoutlmv3']],
  ['XLM', 'attentions.0.q_lin.weight', null, ['xlm', 'flaubert']],
  ['SqueezeBERT', 'transformer.encoder.layers.0.attention.query.weight', 'squeezebert.', ['squeezebert']],
  ['ConvBERT', null, 'convbert.', ['convbert']],
  ['Megatron-BERT', 'bert.encoder.layer.0.attention.ln.weight', null, ['megatron-bert']],
  ['Funnel Transformer', 'funnel.encoder.blocks.0.0.attention.r_w_bias', null, ['funnel']],
  ['RemBERT', null, 'rembert.', ['rembert']],
  ['BART', 'model.decoder.layers.0.encoder_attn.k_proj.weight', null, ['bart', 'mbart']],
  ['NomicBERT', 'encoder.layers.0.attn.Wqkv.weight', null, ['nomic_bert']],
  ['GTE (NewModel)', 'new.encoder.layer.0.attention.qkv_proj.weight', 'new.', ['new']],
  ['JinaBERT', 'encoder.layer.0.mlp.gated_layers.weight', null, ['jina_bert']],
  ['MosaicBERT', 'bert.encoder.layer.0.attention.self.Wqkv.weight', null, []],
  ['data2vec', null, 'data2vec_text.', []],
  ['Nyströmformer', null, 'nystromformer.', ['nystromformer']],
  ['I-BERT', 'ibert.encoder.layer.0.output.dense.weight_integer', 'ibert.', ['ibert']],
  ['LUKE', 'luke.encoder.layer.0.attention.self.w2e_query.weight', 'luke.', ['luke']],
  ['LiLT', 'lilt.layout_embeddings.box_linear_embeddings.weight', 'lilt.', ['lilt']],
  ['ESM', null, 'esm.', ['esm']],
  ['FNet', null, 'fnet.', ['fnet']],
  ['CANINE', 'canine.char_embeddings.HashBucketCodepointEmbedder_0.weight', 'canine.', ['canine']],
  ['MarkupLM', 'markuplm.embeddings.xpath_embeddings.xpath_unitseq2_inner.weight', 'markuplm.', ['markuplm']],
  ['VisualBERT', 'visual_bert.embeddings.visual_token_type_embeddings.weight', 'visual_bert.', ['visual_bert']],
  ['BROS', 'bros.bbox_embeddings.bbox_projection.weight', 'bros.', ['bros']],
  ['TAPAS', 'tapas.embeddings.token_type_embeddings_0.weight', 'tapas.', ['tapas']],
  ['YOSO', null, 'yoso.', ['yoso']],
  ['MRA', null, 'mra.', ['mra']],
  ['Splinter', null, 'splinter.', ['splinter']],
  ['fairseq (RoBERTa)', 'decoder.sentence_encoder.layers.0.fc1.weight', null, []],
]

describe.each(MODELS)('%s', (title, sign, scope, types) => {
  it('is known by its names, its scope and its type', () => {
    if (sign !== null) expect(foreignModelOf(['bert/embeddings/x', sign])).toBe(title)
    if (scope !== null) {
      expect(foreignModelOfScope(scope)).toBe(title)
      expect(foreignModelOfScope(`model.${scope.slice(0, -1)}/`)).toBe(title)
      expect(foreignModelOfScope(`my${scope}`)).toBeNull()
    }
    for (const type of types) expect(foreignModelOfType(type)).toBe(title)
  })
})

it('ALBERT and BERT are foreign by nothing', () => {
  const names = ['bert.encoder.layer.0.attention.self.query.weight', 'albert.pooler.bias', 'bert/pooler/dense/kernel']
  expect(foreignModelOf(names)).toBeNull()
  expect(['bert.', 'albert/', 'module.bert.', ''].map(foreignModelOfScope)).toEqual([null, null, null, null])
  expect(['albert', 'bert', 'my-bert'].map(foreignModelOfType)).toEqual([null, null, null])
})

describe('a model_type', () => {
  it.each([undefined, null, 'albert', 'bert'])('%s is taken', (type) => {
    expect(refuseModelType(type, 'config.json')).toBeNull()
  })

  const COMMON = { kind: 'unsupported', code: 'architecture-unsupported', file: 'config.json', field: 'model_type' }
  it('of a known architecture is refused by its name', () => {
    expect(refuseModelType('roberta', 'config.json', 'bert')?.toJSON()).toEqual({
      ...COMMON,
      message: 'model_type is "roberta" (RoBERTa): albertkit runs albert and bert',
      hint: 'RoBERTa computes something else with weights that are named alike: convert it with the tools of its own code',
    })
  })

  it.each([
    ['my-own', undefined, 'ALBERT or BERT'],
    ['my-own', 'albert', 'ALBERT'],
    [7, 'bert', 'BERT'],
    [['electra'], 'bert', 'BERT'],
  ] as const)('%s of no known one may be %s by another name', (type, architecture, own) => {
    expect(refuseModelType(type, 'config.json', architecture)?.toJSON()).toEqual({
      ...COMMON,
      message: `model_type is ${JSON.stringify(type)}: albertkit runs albert and bert`,
      hint:
        `weights may be named alike and used otherwise; if it is ${own} by another name, ` +
        'give a configuration that says so with `config`',
    })
  })
})
