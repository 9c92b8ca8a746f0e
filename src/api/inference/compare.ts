import { isBad } from '../../text/data/examples.js'
import { openClassifier, predictions, type TextJob } from './job.js'
import type { TextModel } from './text-model.js'
import type { DifferentLine, ModelComparison } from './report.js'

const KEPT = 10_000

/** Reads a job's lines with two models side by side and gives those that they label differently. */
export async function compareModels(model: TextModel, job: TextJob, other: string): Promise<ModelComparison> {
  const second = await openClassifier({
    ...job,
    model: other,
    vocabulary: job.vocabulary ?? model.tokenizer.file,
    // What is asked of the file of one model need not be in the other's.
    ...{ scope: undefined, head: undefined, ema: undefined, mergeLora: undefined },
  })
  try {
    const theirs = predictions(second, job)
    const different: DifferentLine[] = []
    let lines = 0
    for await (const ours of predictions(model, job)) {
      const next = await theirs.next()
      if (next.done === true || isBad(ours) || isBad(next.value)) continue
      const { value } = next
      lines++
      if (ours.label !== value.label && different.length < KEPT)
        different.push({ line: ours.line, label: ours.given, first: ours.label, second: value.label, text: ours.text })
    }
    return { other, lines, different }
  } finally {
    await second.close()
  }
}
