import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { openModel } from '../../src/api/open/open.js'
import { verifyOpened } from '../../src/api/verify/verify.js'
import { openSource } from '../../src/api/open/source.js'
import { readAll } from '../../src/formats/core/source.js'
import { describeShared, SHARED } from '../helpers/shared.js'
import { BundleFiles } from '../helpers/write-files.js'

/** The weights of a fixture under the names that the converter of tf-models gives them. */

const out = mkdtempSync(join(tmpdir(), 'albertkit-keras-'))
afterAll(() => {
  rmSync(out, { recursive: true, force: true })
})

/* What official/nlp/tools/tf2_albert_encoder_checkpoint_converter.py and its sibling for BERT replace, in their order. */
const ALBERT: readonly (readonly [string, string])[] = [
  ['bert/encoder/', ''],
  ['bert/', ''],
  ['embeddings/word_embeddings', 'word_embeddings/embeddings'],
  ['embeddings/position_embeddings', 'position_embedding/embeddings'],
  ['embeddings/token_type_embeddings', 'type_embeddings/embeddings'],
  ['embeddings/LayerNorm', 'embeddings/layer_norm'],
  ['embedding_hidden_mapping_in', 'embedding_projection'],
  ['group_0/inner_group_0/', ''],
  ['attention_1/self', 'self_attention'],
  ['attention_1/output/dense', 'self_attention/attention_output'],
  ['transformer/LayerNorm/', 'transformer/self_attention_layer_norm/'],
  ['ffn_1/intermediate/dense', 'intermediate'],
  ['ffn_1/intermediate/output/dense', 'output'],
  ['transformer/LayerNorm_1/', 'transformer/output_layer_norm/'],
  ['pooler/dense', 'pooler_transform'],
  ['cls/predictions/output_bias', 'cls/predictions/output_bias/bias'],
]
const BERT: readonly (readonly [string, string])[] = [
  ['bert/', ''],
  ['encoder', 'transformer'],
  ['embeddings/word_embeddings', 'word_embeddings/embeddings'],
  ['embeddings/token_type_embeddings', 'type_embeddings/embeddings'],
  ['embeddings/position_embeddings', 'position_embedding/embeddings'],
  ['embeddings/LayerNorm', 'embeddings/layer_norm'],
  ['attention/self', 'self_attention'],
  ['attention/output/dense', 'self_attention/attention_output'],
  ['attention/output/LayerNorm', 'self_attention_layer_norm'],
  ['intermediate/dense', 'intermediate'],
  ['output/dense', 'output'],
  ['output/LayerNorm', 'output_layer_norm'],
  ['pooler/dense', 'pooler_transform'],
  ['cls/predictions/output_bias', 'cls/predictions/output_bias/bias'],
]

/** The shape with the heads as a separate axis. */
function splitHeads(name: string, shape: readonly number[], heads: number): readonly number[] {
  const [first = 0, last = 0] = shape
  if (name.endsWith('attention_output/kernel')) return [heads, first / heads, last]
  if (!/self_attention\/(query|key|value)/.test(name)) return shape
  return shape.length === 1 ? [heads, first / heads] : [first, heads, last / heads]
}

async function rename(fixture: string, replacements: typeof ALBERT, config: string, scope: string): Promise<string> {
  const folder = mkdtempSync(join(out, fixture))
  const source = await openSource(join(SHARED, 'tf', fixture))
  const writer = new BundleFiles(join(folder, 'model.ckpt'))
  for (const { name, dtype, shape } of source.tensors.values()) {
    if (name.startsWith('cls/seq_relationship')) continue
    const renamed = scope + replacements.reduce((text, [from, to]) => text.replace(from, to), name)
    writer.add(renamed, dtype, splitHeads(renamed, shape, 4), (sink) => {
      sink(readAll(source, name))
    })
  }
  writer.finish()
  source.close()
  copyFileSync(join(SHARED, 'tf', fixture, config), join(folder, config))
  return folder
}

describeShared('tf-models', () => {
  it.each([
    ['google_base_like', ALBERT, 'albert_config.json', '', 'google'],
    ['google_base_like', ALBERT, 'albert_config.json', 'albert_pretrainer/encoder/', 'google'],
    ['bert', BERT, 'bert_config.json', '', 'bert'],
  ] as const)('%s equals its golden under these names (%#)', async (fixture, replacements, config, scope, family) => {
    const opened = await openModel(await rename(fixture, replacements, config, scope))
    expect(opened.identification.table.title).toMatch(/^tf-models/)
    expect(opened.config.family).toBe(family)
    expect(opened.identification.unknown).toEqual([])
    const report = await verifyOpened(opened, null, { golden: join(SHARED, 'tf', fixture, 'golden.safetensors') })
    const compared = report.comparisons.filter((c) => c.ok).map((c) => c.output)
    expect(report.comparisons.filter((c) => !c.ok)).toEqual([])
    expect(compared).toContain('pooled_output')
    expect(compared).toContain('mlm_logits')
    opened.close()
  })
})
