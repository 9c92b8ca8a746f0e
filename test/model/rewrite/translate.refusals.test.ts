import { describe, expect, it } from 'vitest'
import type { CheckpointTarget } from '../../../src/base/artefact-layout.js'
import { AlbertkitError } from '../../../src/base/errors.js'
import type { AlbertModel } from '../../../src/model/albert.js'
import { translate } from '../../../src/model/rewrite/translate.js'
import type { Architecture } from '../../../src/model/rewrite/translation.js'
import { memoryModel } from '../../helpers/memory-model.js'
import { SMALL, type Kind, type Shape } from '../../helpers/random-model.js'

describe('models that have no translation', () => {
  const ANY = '`targets` onnx and `targets` tfjs take every model'
  const AS_ALBERT = '`targets` safetensors writes it as the ALBERT it is'
  const ELSEWHERE = 'convert to `targets` safetensors, `targets` onnx or `targets` tfjs'

  /** The refusal of a model, which was read from a file of this name. */
  function refusal(
    kind: Kind,
    shape: Partial<Shape>,
    [target, form]: readonly [CheckpointTarget, (Architecture | null)?],
    change: (model: AlbertModel) => AlbertModel = (model) => model,
  ): unknown {
    const { model, source } = memoryModel(kind, { ...SMALL, ...shape })
    const from = Object.assign(source, { files: ['weights'] })
    try {
      translate(change(model), from, target, form ?? null)
    } catch (error) {
      if (!(error instanceof AlbertkitError)) throw error
      const { kind: of, code, message, hint, place } = error
      expect([of, code, place.file]).toEqual(['unsupported', 'translation-impossible', 'weights'])
      return [message, hint, place.tensor]
    }
    return 'translated'
  }
  const configured =
    (config: object) =>
    (model: AlbertModel): AlbertModel => ({ ...model, config: { ...model.config, ...config } })

  it('are those whose LayerNorms come first', () => {
    const wanted = [
      'the model is pre-LN: it normalises the input of each sub-layer, where the ALBERT and BERT of transformers ' +
        'normalise each sum',
      'no weights make the two the same; `targets` tf keeps the model as it is, `targets` onnx and `targets` tfjs run it',
      undefined,
    ]
    const shape = { preNorm: true, heads: ['classifier'] } as const
    for (const form of [null, 'bert', 'albert'] as const)
      expect(refusal('zh', shape, ['safetensors', form])).toEqual(wanted)
    expect(refusal('zh', { preNorm: true, heads: ['mlm'] }, ['safetensors', 'bert'])).toEqual(wanted)
    // A LayerNorm of the classifier alone is refused as well.
    const post = configured({ norm_position: 'post' })
    expect(refusal('zh', shape, ['safetensors'], post)).toEqual(wanted)
  })

  it('are those of albert_zh and google_fast as they are', () => {
    expect(refusal('zh', {}, ['safetensors'])).toEqual([
      "albert_zh applies word_embeddings_2 before position and token type are added; transformers' ALBERT adds them " +
        'first, at width E',
      '`targetArchitecture` bert writes a plain BERT with the same outputs, `targetArchitecture` albert an ALBERT of ' +
        'embedding_size = hidden_size that shares its layers',
      'bert/embeddings/word_embeddings_2',
    ])
    expect(refusal('google_fast', {}, ['safetensors'])).toEqual([
      "the feed-forward kernels of google_fast are 16 groups, each of its own channels; those of transformers' ALBERT " +
        'are whole',
      `\`targetArchitecture\` albert writes them whole, with zeros between the groups; ${ANY}`,
      expect.stringMatching(/intermediate\/dense\/kernel$/),
    ])
  })

  it('are those with LayerNorms of their own in every layer', () => {
    expect(refusal('own norms', {}, ['safetensors'])).toEqual([
      "every layer has LayerNorms of its own beside kernels that are shared; transformers' ALBERT shares both or neither",
      '`targetArchitecture` albert writes every layer as a group of its own',
      'bert/encoder/transformer/group_0_1/layer_1/inner_group_0/layer_normalization_4/gamma',
    ])
  })

  it('are those whose embeddings are narrow, or mapped, as BERT', () => {
    const mapping = (name: string): unknown => expect.stringContaining(`embedding_hidden_mapping_in${name}`)
    expect(refusal('google', {}, ['safetensors', 'bert'])).toEqual([
      'the embeddings are normalised at width 16 and then mapped to 32: BERT normalises at width 32, so no table does ' +
        'the same',
      AS_ALBERT,
      mapping(''),
    ])
    expect(refusal('hf albert', { embedding: 32 }, ['safetensors', 'bert'])).toEqual([
      'embedding_hidden_mapping_in is no identity, and BERT has nothing between its embeddings and its layers',
      AS_ALBERT,
      mapping('.weight'),
    ])
    expect(refusal('hf albert', { embedding: 32 }, ['tf'])).toEqual([
      "embedding_size equals hidden_size (32), where Google's code has no embedding_hidden_mapping_in, and this one is " +
        'no identity',
      ELSEWHERE,
      mapping('.weight'),
    ])
  })

  it('are those with a decoder of their own, for TensorFlow', () => {
    expect(refusal('hf albert', { heads: ['mlm'], untied: true }, ['tf'])).toEqual([
      "the masked-token head has a decoder of its own, where TensorFlow's code always takes the word embeddings",
      '`targets` safetensors keeps it',
      'predictions.decoder.weight',
    ])
  })

  it('are those whose layers take other groups there', () => {
    // Google: int(15 / 22 · 22) = 14; transformers: int(15 / (22 / 22)) = 15.
    const shape = { layers: 22, groups: 22 }
    expect(refusal('google', shape, ['safetensors'])).toEqual([
      "with 22 layers in 22 groups, layer 15 takes group 14 here and group 15 in transformers' code",
      '`targetArchitecture` albert writes every layer as a group of its own',
      undefined,
    ])
    expect(refusal('hf albert', shape, ['tf'])).toEqual([
      "with 22 layers in 22 groups, layer 15 takes group 15 here and group 14 in Google's code",
      ELSEWHERE,
      undefined,
    ])
    // As a group of each layer it can be written.
    expect(refusal('google', shape, ['safetensors', 'albert'])).toBe('translated')
  })

  it('are those whose code would make groups that no layer takes', () => {
    const unused = configured({ num_hidden_groups: 3 })
    // Two layers in three groups take the groups 0 and 1 by both formulas.
    expect(refusal('google', {}, ['safetensors'], unused)).toEqual([
      "only 2 of the 3 groups are used, but transformers' code makes all of them",
      '`targetArchitecture` albert writes every layer as a group of its own',
      undefined,
    ])
    // To its own code every model goes.
    expect(refusal('hf albert', {}, ['safetensors'], unused)).toBe('translated')
    expect(refusal('google', {}, ['tf'], unused)).toBe('translated')
    expect(refusal('hf albert', {}, ['tf'], unused)).toEqual([
      "only 2 of the 3 groups are used, but Google's code makes all of them",
      ELSEWHERE,
      undefined,
    ])
  })

  it('are those with a pooler of a head', () => {
    const { model: tiny } = memoryModel('bert', SMALL)
    const sop = (model: AlbertModel): AlbertModel => ({ ...model, sop: { ...model.sop!, pooler: tiny.pooler } })
    const words = (head: string, whose: string): string =>
      `the ${head} of this model has a pooler of its own, beside that of the encoder; ${whose} code has one for both`
    const tensor = 'bert/pooler/dense/kernel'
    expect(refusal('bert', {}, ['safetensors'], sop)).toEqual([
      words('next-sentence head', "transformers'"),
      ANY,
      tensor,
    ])
    expect(refusal('bert', {}, ['safetensors', 'bert'], sop)).toEqual([
      words('next-sentence head', "transformers'"),
      ANY,
      tensor,
    ])
    expect(refusal('bert', {}, ['safetensors', 'albert'], sop)).toEqual([
      words('next-sentence head', "transformers'"),
      ANY,
      tensor,
    ])
    const own = (model: AlbertModel): AlbertModel => ({
      ...model,
      classifier: { ...model.classifier!, pooler: tiny.pooler },
    })
    expect(refusal('bert', { heads: ['classifier'] }, ['tf'], own)).toEqual([
      words('classifier', "Google's"),
      ANY,
      tensor,
    ])
  })

  it('are those whose masked-token head has settings of its own', () => {
    const own = (hidden_act: string, layer_norm_eps: number) => configured({ mlm_head: { hidden_act, layer_norm_eps } })
    const tensor = 'cls/predictions/transform/LayerNorm/gamma'
    expect(refusal('bert', {}, ['safetensors'], own('relu', 1e-12))).toEqual([
      "the masked-token head of this model takes relu, its layers gelu_tanh; transformers' code has one for both",
      ANY,
      tensor,
    ])
    expect(refusal('bert', {}, ['tf'], own('gelu_tanh', 1e-5))).toEqual([
      "the masked-token head of this model has the LayerNorm epsilon 0.00001, its layers 1e-12; Google's code has one " +
        'for both',
      `\`layerNormEpsilon\` 1e-12 takes that for the head as well, which changes its logits a little; ${ANY}`,
      tensor,
    ])
    expect(refusal('bert', { heads: ['sop'] }, ['tf'], own('relu', 1))).toBe('translated')
  })

  it('are those with tensors that the target has no name for', () => {
    const mlm = ({ mlm, ...model }: AlbertModel): AlbertModel => ({
      ...model,
      mlm: { ...mlm!, bias: { ...mlm!.bias, slot: 'mlm/other' } },
    })
    expect(refusal('bert', {}, ['safetensors'], mlm)).toEqual([
      'Hugging Face BERT has no place for mlm/other',
      ANY,
      'cls/predictions/output_bias',
    ])
  })

  it('name no file if there is none', () => {
    const { model, source } = memoryModel('zh', SMALL)
    expect(() => translate(model, source, 'safetensors')).toThrow(
      expect.objectContaining({ place: { tensor: 'bert/embeddings/word_embeddings_2' } }) as Error,
    )
  })
})
