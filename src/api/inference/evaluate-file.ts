import { usage } from '../../base/errors.js'
import { refuseExisting, refuseSame, WholeFile } from '../../files/atomic-file.js'
import { compareModels } from './compare.js'
import type { EvaluationReport } from './report.js'
import { ErrorsFile, refuseExistingErrors } from './errors-file.js'
import { evalResults, evaluate } from './evaluate.js'
import { openClassifier, predictions, tellListener, type Listener, type TextJob } from './job.js'
import { labelsFor } from './predict.js'

export interface EvaluateFileOptions {
  /** Path of another model; lines that the two label differently are reported. */
  readonly compare?: string | undefined
  /** Path for the lines that cannot be used. */
  readonly errors?: string | undefined
  /** Paths that the caller will write, `eval_results.txt` and charts; checked before anything is computed. */
  readonly results?: string | undefined
  readonly svg?: string | undefined
  readonly png?: string | undefined
  /** Replace existing files. */
  readonly force?: boolean | undefined
}

/**
 * Evaluates a job; with another model, also the lines that the two label differently.
 * @throws AlbertkitError as `openTextModel` and `evaluate`
 */
export async function evaluateFile(
  job: TextJob,
  { compare, errors: errorsPath, results, svg, png, force = false }: EvaluateFileOptions = {},
  listener: Listener = {},
): Promise<EvaluationReport> {
  if (compare !== undefined && job.input === '-')
    throw usage('`compare` reads the text twice, so the input must be a file, not standard input', {
      code: 'option-conflict',
    })
  refuseSame({
    'the text': job.input,
    'the file of errors': errorsPath,
    'the file of results': results,
    'the picture': svg,
    'the PNG picture': png,
  })
  // Checked before hours of computing.
  for (const path of [results, svg, png]) if (path !== undefined) refuseExisting(path, force)
  refuseExistingErrors(errorsPath, force)
  const model = await openClassifier(job)
  const errors = new ErrorsFile(errorsPath)
  try {
    errors.clear()
    listener.onModel?.(model)
    const evaluation = await evaluate(
      predictions(model, job, {
        onProgress: (p) => {
          tellListener(listener, p)
        },
      }),
      (classes) => labelsFor(model, classes),
      (line) => {
        listener.onBad?.(line)
        errors.add(line)
      },
    )
    const comparison = compare === undefined ? {} : { comparison: await compareModels(model, job, compare) }
    const notes = model.leftOut
    return { ...evaluation, notes, runner: model.detail, globalStep: model.globalStep, ...comparison }
  } finally {
    errors.close()
    await model.close()
  }
}

/** Writes `eval_results.txt` as run_classifier does. @throws AlbertkitError `output` */
export function writeEvalResults(report: EvaluationReport, path: string, force = false): void {
  refuseExisting(path, force)
  const file = new WholeFile(path)
  try {
    file.write(Buffer.from(evalResults(report, report.globalStep)))
    file.commit()
  } finally {
    file.discard()
  }
}
