import type { AlbertModel, Block, ClassifierHead, Dense, LayerNorm, OutputHead, SopHead } from './albert.js'
import type { ModelConfig } from './config.js'
import type { ForwardInputs, Ops } from './ops.js'
import type { HeadSelection } from './tasks.js'

/** True if the inputs of the forward pass are `[batch, choices, sequence]`. */
export const takesChoices = (model: Pick<AlbertModel, 'classifier'>, heads: HeadSelection): boolean =>
  heads.classifier && model.classifier?.kind === 'choice'

/**
 * Outputs of a forward pass. B batch, S sequence, V vocabulary, H hidden, N labels. With a multiple-choice head B is
 * every choice of every example, except for the logits.
 */
export interface ForwardOutputs<T> {
  /** Embeddings after their LayerNorm: `[B, S, E]`, or `[B, S, H]` in zh and bert. */
  readonly embedding_output: T
  /** google, hf: embeddings after the mapping to `[B, S, H]`. */
  readonly embedding_hidden_mapping_in: T | null
  /** `[B, S, H]` each; TensorFlow families count every inner layer, hf the last one of each layer. */
  readonly hidden_states: readonly T[]
  /** `[B, S, H]` */
  readonly last_hidden_state: T
  /** `[B, H]` */
  readonly pooler_output: T | null
  /** `[B, S, V]` */
  readonly prediction_logits: T | null
  /** `[B, 2]` */
  readonly sop_logits: T | null
  /** `[B, N]`; of tokens `[B, S, N]`; of choices `[batch, choices]` */
  readonly logits: T | null
  /** `[B, S]` */
  readonly start_logits: T | null
  /** `[B, S]` */
  readonly end_logits: T | null
}

const dense = <T>(ops: Ops<T>, x: T, { kernel, bias }: Dense): T =>
  kernel.shape.length === 3 ? ops.groupedLinear(x, kernel, bias) : ops.linear(x, kernel, bias)

/** Multi-head self-attention without its residual and LayerNorm (BERT's modeling.py `attention_layer`). */
function selfAttention<T>(ops: Ops<T>, config: ModelConfig, block: Block, x: T, bias: T): T {
  const heads = config.num_attention_heads
  const project = (name: string, d: Dense): T =>
    ops.scope(name, () => ops.splitHeads(ops.inner('dense', dense(ops, x, d)), heads))
  const query = project('query', block.query)
  const key = project('key', block.key)
  const value = project('value', block.value)
  const scores = ops.scope('scores', () =>
    ops.add(ops.inner('product', ops.scores(query, key, config.hidden_size / heads)), bias),
  )
  const probabilities = ops.inner('probabilities', ops.softmax(scores))
  const context = ops.scope('context', () => ops.inner('merged', ops.mergeHeads(ops.context(probabilities, value))))
  return ops.scope('output', () => ops.inner('dense', dense(ops, context, block.attentionOutput)))
}

function feedForward<T>(ops: Ops<T>, config: ModelConfig, block: Block, x: T): T {
  const inner = ops.scope('intermediate', () => {
    const wide = ops.inner('dense', dense(ops, x, block.intermediate))
    return ops.inner('activation', ops.activation(wide, config.hidden_act))
  })
  return ops.scope('output', () => ops.inner('dense', dense(ops, inner, block.output)))
}

/** One inner layer. Post-LN normalises each sum; pre-LN (albert_zh `prelln_transformer_model`) each sub-layer's input. */
function transformerBlock<T>(ops: Ops<T>, config: ModelConfig, block: Block, x: T, bias: T): T {
  const { layer_norm_eps: epsilon } = config
  const attention = (input: T): T => selfAttention(ops, config, block, input, bias)
  const ffn = (input: T): T => feedForward(ops, config, block, input)
  const layerNorm = (input: T, norm: LayerNorm): T => ops.inner('normed', ops.layerNorm(input, norm, epsilon))
  const sum = (a: T, b: T): T => ops.inner('sum', ops.add(a, b))
  if (config.norm_position === 'pre') {
    const attended = ops.scope('attention', () => sum(attention(layerNorm(x, block.attentionNorm)), x))
    return ops.scope('ffn', () => sum(ffn(layerNorm(attended, block.outputNorm)), attended))
  }
  const attended = ops.scope('attention', () => layerNorm(sum(attention(x), x), block.attentionNorm))
  return ops.scope('ffn', () => layerNorm(sum(ffn(attended), attended), block.outputNorm))
}

/** Lookup, factor (zh), token type and position, LayerNorm. */
function embed<T>(ops: Ops<T>, model: AlbertModel, inputs: ForwardInputs<T>): T {
  const { word, factor, position, tokenType, norm } = model.embeddings
  const words = ops.scope('word', () => {
    const rows = ops.gather(word, inputs.input_ids)
    return factor === null ? rows : ops.linear(rows, factor, null)
  })
  const typed = ops.scope('token_type', () => ops.add(words, ops.gather(tokenType, inputs.token_type_ids)))
  const placed = ops.scope('position', () => ops.add(typed, ops.positions(position, inputs.input_ids)))
  return ops.inner('normed', ops.layerNorm(ops.inner('sum', placed), norm, model.config.layer_norm_eps))
}

/** Masked-token logits over the whole sequence: transform, LayerNorm, then the word embeddings or an untied decoder. */
function predictTokens<T>(ops: Ops<T>, model: AlbertModel, head: NonNullable<AlbertModel['mlm']>, x: T): T {
  const { word, factor } = model.embeddings
  const { hidden_act, layer_norm_eps } = model.config.mlm_head ?? model.config
  const transformed = ops.scope('transform', () => {
    const wide = ops.inner('activation', ops.activation(dense(ops, x, head.transform), hidden_act))
    return ops.inner('normed', ops.layerNorm(wide, head.norm, layer_norm_eps))
  })
  const narrow =
    factor === null ? transformed : ops.scope('factor', () => ops.linearTransposed(transformed, factor, null))
  return ops.scope('decoder', () => {
    const logits = ops.linearTransposed(narrow, head.decoder ?? word, head.bias)
    return ops.inner('logits', logits)
  })
}

function encode<T>(ops: Ops<T>, model: AlbertModel, embedded: T, bias: T): T[] {
  const { config, layers } = model
  const states: T[] = []
  let x = embedded
  layers.forEach((inner, l) => {
    inner.forEach((block, j) => {
      const name = `encoder/layer_${l}${inner.length === 1 ? '' : `/inner_${j}`}`
      x = ops.scope(name, () => transformerBlock(ops, config, block, x, bias))
      if (config.family !== 'hf' || j === inner.length - 1)
        states.push((x = ops.mark(`hidden_state_${states.length}`, x)))
    })
  })
  return states
}

const eachInput = <T>(inputs: ForwardInputs<T>, apply: (ids: T) => T): ForwardInputs<T> => ({
  input_ids: apply(inputs.input_ids),
  attention_mask: apply(inputs.attention_mask),
  token_type_ids: apply(inputs.token_type_ids),
})

/** Logits of the pooled sequence, of every token, or of the choices; null if their pooler is absent. */
function classify<T>(
  ops: Ops<T>,
  config: ModelConfig,
  head: ClassifierHead,
  from: { last: T; poolFor: (own: Dense | null) => (() => T) | null; inputs: ForwardInputs<T> },
): T | null {
  const { last, poolFor, inputs } = from
  const take = head.kind === 'token' ? () => last : poolFor(head.pooler)
  if (take === null) return null
  return ops.scope('classifier', () => {
    const of = take()
    const x = head.norm === null ? of : ops.layerNorm(of, head.norm, config.layer_norm_eps)
    const logits = ops.inner('logits', ops.linearTransposed(x, head.weight, head.bias))
    return head.kind === 'choice' ? ops.rowsToChoices(logits, inputs.input_ids) : logits
  })
}

/** Sentence-order logits of the pooled sequence; null if there is no pooler. */
function orderSentences<T>(ops: Ops<T>, head: SopHead, poolFor: (own: Dense | null) => (() => T) | null): T | null {
  const take = poolFor(head.pooler)
  if (take === null) return null
  return ops.scope('sop', () => ops.inner('logits', ops.linearTransposed(take(), head.weight, head.bias)))
}

/** Start and end logits of question answering (BERT's run_squad.py `create_model`). */
function answerSpans<T>(
  ops: Ops<T>,
  head: OutputHead | null,
  last: T,
): Pick<ForwardOutputs<T>, 'start_logits' | 'end_logits'> {
  if (head === null) return { start_logits: null, end_logits: null }
  const spans = ops.scope('qa', () => ops.inner('logits', ops.linearTransposed(last, head.weight, head.bias)))
  return {
    start_logits: ops.scope('qa/start', () => ops.pick(spans, 0)),
    end_logits: ops.scope('qa/end', () => ops.pick(spans, 1)),
  }
}

/**
 * The forward pass of every family, once: BERT (modeling.py), ALBERT (Lan et al. 2019, sections 3.1–3.2;
 * google-research/albert modeling.py), albert_zh (post- and pre-LN). `ops` decides whether it computes or writes a
 * graph.
 */
export function forward<T>(
  model: AlbertModel,
  ops: Ops<T>,
  inputs: ForwardInputs<T>,
  heads: HeadSelection,
): ForwardOutputs<T> {
  const { config, embeddings, pooler } = model
  const rows = takesChoices(model, heads) ? eachInput(inputs, (ids) => ops.choicesToRows(ids)) : inputs
  const embedding_output = ops.mark(
    'embedding_output',
    ops.scope('embeddings', () => embed(ops, model, rows)),
  )
  const { mapping } = embeddings
  const mapped =
    mapping === null
      ? null
      : ops.mark(
          'embedding_hidden_mapping_in',
          ops.scope('mapping', () => ops.inner('dense', dense(ops, embedding_output, mapping))),
        )
  const bias = ops.scope('attention_bias', () => ops.attentionBias(rows.attention_mask, config.mask_penalty))
  const hidden_states = encode(ops, model, mapped ?? embedding_output, bias)
  const last = hidden_states[hidden_states.length - 1] as T
  const pool = (by: Dense): T => ops.inner('activation', ops.activation(dense(ops, ops.firstToken(last), by), 'tanh'))
  const pooled = pooler === null ? null : ops.scope('pooler', () => pool(pooler))
  // A head with its own pooler uses that one.
  const poolFor = (own: Dense | null): (() => T) | null => {
    if (own !== null) return () => ops.scope('pooler', () => pool(own))
    return pooled === null ? null : () => pooled
  }
  const { mlm, sop, classifier, qa } = model
  return {
    embedding_output,
    embedding_hidden_mapping_in: mapped,
    hidden_states,
    last_hidden_state: last,
    pooler_output: pooled,
    prediction_logits: mlm !== null && heads.mlm ? ops.scope('mlm', () => predictTokens(ops, model, mlm, last)) : null,
    sop_logits: sop !== null && heads.sop ? orderSentences(ops, sop, poolFor) : null,
    logits:
      classifier !== null && heads.classifier ? classify(ops, config, classifier, { last, poolFor, inputs }) : null,
    ...answerSpans(ops, heads.qa ? qa : null, last),
  }
}
