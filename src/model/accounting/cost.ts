import { elementCount } from '../../formats/core/source.js'
import type { AlbertModel, Parameter } from '../albert.js'
import type { HeadSelection } from '../tasks.js'
import { parametersOf } from '../tensors/read.js'

const matrixSize = (part: unknown): number =>
  [...parametersOf(part)].reduce((sum, p: Parameter) => sum + (p.shape.length >= 2 ? elementCount(p.shape) : 0), 0)

/**
 * Floating-point operations of one forward pass, counting two a multiply-add of every matrix product; softmax,
 * LayerNorm and activations are left out (below 2 % at usual sizes).
 * @param batch rows
 * @param sequence tokens a row
 */
export function forwardFlops(model: AlbertModel, heads: HeadSelection, batch: number, sequence: number): number {
  const { embeddings, layers, pooler, mlm, sop, classifier, qa, config } = model
  const tokens = batch * sequence
  const blocks = layers.flat()
  const ofTokens = classifier?.kind === 'token'
  const perToken =
    matrixSize([embeddings.factor, embeddings.mapping]) + blocks.reduce((sum, block) => sum + matrixSize(block), 0)
  const decoder =
    mlm !== null && heads.mlm ? matrixSize([mlm, mlm.decoder === null ? embeddings.word : null, embeddings.factor]) : 0
  const tokenHead = matrixSize([heads.qa ? qa : null, heads.classifier && ofTokens ? classifier : null])
  const perRow = matrixSize([pooler, heads.sop ? sop : null, heads.classifier && !ofTokens ? classifier : null])
  const attention = blocks.length * 2 * sequence * config.hidden_size
  return 2 * (tokens * (perToken + decoder + tokenHead + attention) + batch * perRow)
}
