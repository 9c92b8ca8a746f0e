import { usage } from '../../base/errors.js'
import type { TextAnswer } from './piece.js'
import { labelsFor, predictionLine, type PredictionFormat } from './predict.js'
import { answerLine } from './qa/predict-answers.js'
import { taggingLine } from './tags/predict-tags.js'
import type { TextModel } from './text-model.js'

/** Formats answers of a model as lines of output. */
export function answerFormatter(model: TextModel, format: PredictionFormat): (answer: TextAnswer) => string {
  let labels: readonly string[] | undefined
  if (format === 'results' && model.task !== 'classify')
    throw usage(`format results is for classifiers of texts, and the model is used for ${model.task}`, {
      code: 'option-conflict',
      hint: 'formats: jsonl, tsv, csv',
    })
  return (answer) => {
    if (answer.reading === 'tags') return taggingLine(answer, format as 'jsonl')
    if (answer.reading === 'spans') return answerLine(answer, format as 'jsonl')
    return predictionLine(answer, (labels ??= labelsFor(model, answer.logits.length)), format)
  }
}
