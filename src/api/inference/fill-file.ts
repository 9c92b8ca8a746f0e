import { toJsonLine } from '../../base/json-text.js'
import { omitUndefined } from '../../base/omit-undefined.js'
import { isBad } from '../../text/data/examples.js'
import { readLines } from '../input/lines.js'
import type { AnswerOptions } from './answers.js'
import { tellListener, type Listener } from './job.js'
import { fillLines } from './masked.js'
import { openTextModel } from './model.js'
import { PATIENCE_MS } from './piece.js'
import { until } from './pauses.js'
import type { TextFileReport } from './report.js'
import type { TextModelOptions } from './text-model.js'

/**
 * Fills the masks of each line of standard input, while it is read.
 * @param top candidates for each mask
 * @param put takes a line of output, as JSON; false ends the work
 * @throws AlbertkitError as `openTextModel`; `usage` if the vocabulary has no mask
 */
export async function fillMaskLines(
  path: string,
  { top, ...options }: TextModelOptions & { readonly top?: number },
  put: (line: string) => Promise<boolean>,
  listener: Listener = {},
): Promise<TextFileReport> {
  // A single text may be as long as the model takes.
  const model = await openTextModel(path, 'mlm', undefined, { maxSeqLength: Infinity, ...options })
  let [lines, bad] = [0, 0]
  try {
    listener.onModel?.(model)
    const onProgress: AnswerOptions['onProgress'] = (progress) => {
      tellListener(listener, { ...progress, part: null })
    }
    const filled = fillLines(model, readLines('-'), { ...omitUndefined({ top }), patience: PATIENCE_MS, onProgress })
    for await (const line of until(filled, listener.gone)) {
      if (isBad(line)) {
        listener.onBad?.(line)
        bad++
        continue
      }
      if (!(await put(toJsonLine(line)))) break
      lines++
    }
    return { output: null, lines, bad, errors: null, runner: model.detail, notes: model.leftOut, resumedAt: null }
  } finally {
    await model.close()
  }
}
