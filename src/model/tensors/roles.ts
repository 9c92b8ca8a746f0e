import type { AlbertModel, Block, Parameter } from '../albert.js'
import { parametersOf } from './read.js'

/** The parameters of one inner layer under the names that every family's slots end in. */
export const blockRoles = (block: Block): [role: string, parameter: Parameter][] => {
  const dense = (role: string, { kernel, bias }: Block['query']): [string, Parameter][] => [
    [`${role}/kernel`, kernel],
    ...(bias === null ? [] : [[`${role}/bias`, bias] as [string, Parameter]]),
  ]
  const norm = (role: string, { gamma, beta }: Block['outputNorm']): [string, Parameter][] => [
    [`${role}/gamma`, gamma],
    [`${role}/beta`, beta],
  ]
  return [
    ...dense('attention/query', block.query),
    ...dense('attention/key', block.key),
    ...dense('attention/value', block.value),
    ...dense('attention/output', block.attentionOutput),
    ...norm('attention/LayerNorm', block.attentionNorm),
    ...dense('ffn/intermediate', block.intermediate),
    ...dense('ffn/output', block.output),
    ...norm('ffn/LayerNorm', block.outputNorm),
  ]
}

/** Every parameter that belongs to no layer: embeddings, mapping, pooler, heads. */
export const outerParameters = (model: AlbertModel): Parameter[] => [...parametersOf({ ...model, layers: [] })]
