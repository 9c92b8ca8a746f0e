import { isBad } from '../../text/data/examples.js'
import { openForReading, type TextJob } from './job.js'
import { predictions } from './piece.js'
import type { TextModel } from './text-model.js'
import type { DifferentLine, ModelComparison } from './report.js'

const KEPT = 10_000

/** Runs two models on a job's lines and returns the lines that they label differently. */
export async function compareModels(model: TextModel, job: TextJob, other: string): Promise<ModelComparison> {
  const second = await openForReading({
    ...job,
    model: other,
    vocabulary: job.vocabulary ?? model.tokenizer.file,
    // Options that select part of one model's file do not apply to the other's.
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
