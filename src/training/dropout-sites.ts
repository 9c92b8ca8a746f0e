/** Probabilities of dropping a value; 0 switches a kind off. */
export interface DropoutRates {
  /** After the embeddings, the attention output and the feed-forward output (`hidden_dropout_prob`). */
  readonly hidden: number
  /** After the softmax of attention (`attention_probs_dropout_prob`). */
  readonly attention: number
  /** Before the classifier (run_classifier.py `create_model`: 0.1). */
  readonly classifier: number
}

export const NO_DROPOUT: DropoutRates = { hidden: 0, attention: 0, classifier: 0 }

/** A mask that a training graph takes as an input: uint8, 1 to keep a value and 0 to drop it. */
export interface DropoutSite {
  /** Name of the input. */
  readonly input: string
  /** Sizes, or the names of those that are known only at run time. */
  readonly dims: readonly (number | string)[]
  /** Values below it among 65,536 are dropped. */
  readonly threshold: number
}

/** Random numbers of 16 bits decide: their number. */
export const DROPOUT_LEVELS = 65536

/** Number of levels out of `DROPOUT_LEVELS` that are dropped. */
export const thresholdOf = (rate: number): number => Math.round(rate * DROPOUT_LEVELS)

/**
 * Kind of dropout of an inner value of the forward pass; null for none. The places are those of BERT's modeling.py
 * (`layer_norm_and_dropout`, `attention_layer`, `transformer_model`) and run_classifier.py.
 * @param path open scopes
 * @param name name of the inner value
 */
export function dropoutKind(path: readonly string[], name: string): keyof DropoutRates | null {
  const [outer, scope] = path.slice(-2)
  const inmost = scope ?? outer
  if (name === 'probabilities') return 'attention'
  if (name === 'dense' && scope === 'output' && (outer === 'attention' || outer === 'ffn')) return 'hidden'
  if (name === 'normed' && inmost === 'embeddings') return 'hidden'
  return name === 'activation' && inmost === 'pooler' ? 'classifier' : null
}
