import { answerOf } from '../../model/tasks.js'
import { makeBatches } from '../../text/data/batches.js'
import { makeFeatures } from '../../text/data/features.js'
import { argmax, float32Number, softmax } from '../../text/data/numbers.js'
import type { TextModel } from '../inference/text-model.js'
import { labelsFor } from '../inference/predict.js'

/** Tags of one text, per token; tokens beyond the model's longest input have no tag. */
export interface TaggedText {
  /** Tokens as the tokenizer spells them, without `[CLS]` and `[SEP]`. */
  readonly tokens: readonly string[]
  /** Most probable tag of each token. */
  readonly tags: readonly string[]
  /** Probability of each of these tags. */
  readonly scores: readonly number[]
}

/**
 * Tags the tokens of texts with a token classifier.
 * @param size maximum number of texts per batch
 * @throws AlbertkitError `usage` if labels and classes do not fit
 */
export async function tagTexts(model: TextModel, texts: readonly string[], size: number): Promise<TaggedText[]> {
  const rows = texts.map((text) => makeFeatures(model.tokenizer, text, null, model.maxLength))
  const tagged: TaggedText[] = []
  for (const batch of makeBatches(rows, size)) {
    const { data, shape } = await model.run(batch, answerOf('token-classification'))
    const classes = shape.at(-1)!
    const labels = labelsFor(model, classes)
    batch.rowIndices.forEach((index, row) => {
      // The first token is [CLS], the last [SEP].
      const ids = rows[index]!.input_ids.slice(1, -1)
      const scores = ids.map((_, i) => {
        const start = (row * batch.sequence + i + 1) * classes
        return softmax(data.subarray(start, start + classes))
      })
      tagged[index] = {
        tokens: ids.map((id) => model.tokenizer.tokenOf(id) ?? ''),
        tags: scores.map((probabilities) => labels[argmax(probabilities)]!),
        scores: scores.map((probabilities) => float32Number(probabilities[argmax(probabilities)]!)),
      }
    })
  }
  return tagged
}
