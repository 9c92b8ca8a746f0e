import { renameSync, rmSync } from 'node:fs'
import type { ShardCommand, TextJob } from '../api/text/job.js'
import { usage } from '../errors.js'
import { OutputFile, writing } from '../export/files.js'
import { refuseExisting } from '../export/whole-file.js'
import { onInterrupt } from '../interrupt.js'

/** What the commands that classify lines have in common. */

export interface Talk {
  talk(line: string): void
  progress(line: string): void
}

const MAX_REPORTED = 20

/** Says which lines cannot be used, the first twenty by one. */
export function badLineReporter(talk: Talk): (bad: { line: number; reason: string }) => void {
  let count = 0
  return ({ line, reason }) => {
    count++
    if (count <= MAX_REPORTED) talk.talk(`line ${line}: ${reason}`)
    if (count === MAX_REPORTED) talk.talk('further lines that cannot be used are not named')
  }
}

/** Lines done, lines a second. */
export function rateReporter(talk: Talk): (lines: number) => void {
  const start = performance.now()
  return (lines) => {
    const seconds = (performance.now() - start) / 1000
    talk.progress(`${lines} lines, ${Math.round(lines / Math.max(seconds, 0.001))} lines/s`)
  }
}

/** A file that is written line by line and appears when it is whole; what an interrupt leaves is said to be a part. */
function partFile(path: string, force: boolean): { put(line: string): void; finish(): void; discard(): void } {
  refuseExisting(path, force)
  const part = new OutputFile(`${path}.part`, 'w')
  let open = true
  const close = (): void => {
    if (open) part.close()
    open = false
  }
  const forget = onInterrupt(close)
  return {
    put: (line) => {
      part.write(Buffer.from(`${line}\n`))
    },
    finish: () => {
      close()
      forget()
      writing(path, () => {
        renameSync(part.path, path)
      })
    },
    discard: () => {
      close()
      forget()
      rmSync(part.path, { force: true })
    },
  }
}

export interface StreamFlags {
  readonly output?: string | undefined
  readonly errors?: string | undefined
  readonly force: boolean
}

/** Classifies a job's lines onto standard output or into a file; gives how many lines could not be used. */
export async function streamPredictions(
  job: TextJob,
  { output, errors: errorsPath, force }: StreamFlags,
  put: (line: string) => Promise<boolean>,
  talk: Talk,
): Promise<number> {
  const { ErrorsFile, openClassifier, predictions } = await import('../api/text/job.js')
  const { labelsFor, predictionLine } = await import('../api/text/predict.js')
  const { isBad } = await import('../text/examples.js')
  const model = await openClassifier(job)
  const file = output === undefined ? null : partFile(output, force)
  const errors = new ErrorsFile(errorsPath)
  const report = badLineReporter(talk)
  talk.progress(`reading with ${model.detail}`)
  try {
    for await (const p of predictions(model, job, { onProgress: rateReporter(talk) })) {
      if (isBad(p)) {
        report(p)
        errors.add(p)
        continue
      }
      const line = predictionLine(p, labelsFor(model, p.logits.length), job.format)
      if (file !== null) file.put(line)
      else if (!(await put(line))) break
    }
    file?.finish()
    return errors.count
  } finally {
    file?.discard()
    errors.close()
    await model.close()
  }
}

/** Computes one shard of a job. */
export async function runTextShard(
  command: ShardCommand,
  job: TextJob,
  { index, count }: { readonly index: number; readonly count: number },
  directory: string | undefined,
  talk: Talk,
): Promise<{ text: string; report: object }> {
  if (directory === undefined) throw usage('--shard needs -o DIR, the directory of the shards')
  if (job.input === '-') throw usage('standard input has no shards', { hint: 'give the file by its name' })
  const { computeShard, openClassifier, taskOf } = await import('../api/text/job.js')
  const model = await openClassifier(job, true)
  try {
    const { task, shards } = await taskOf(command, job, model, count)
    const { manifest, skipped } = await computeShard(directory, task, shards[index]!, job, model, rateReporter(talk))
    const { output, errors, shard } = manifest
    const lines = [
      `${skipped ? 'was there already' : 'wrote'}: ${directory}/${output.file}, ${shard.lines === 0 ? 'no lines' : `lines ${shard.firstLine} to ${shard.firstLine + shard.lines - 1} of ${task.input.lines}`}`,
    ]
    if (errors !== null) lines.push(`${errors.lines} lines could not be used: ${directory}/${errors.file}`)
    return { text: lines.join('\n'), report: { directory, skipped, ...manifest } }
  } finally {
    await model.close()
  }
}

export interface EvaluationFlags {
  readonly compare?: string | undefined
  readonly errors?: string | undefined
}

/** Evaluates a job; with another model, also the lines that the two label differently. */
export async function runEvaluation(job: TextJob, { compare, errors: errorsPath }: EvaluationFlags, talk: Talk) {
  const { ErrorsFile, openClassifier, predictions } = await import('../api/text/job.js')
  const { evalResults, evaluate } = await import('../api/text/evaluate.js')
  const { labelsFor } = await import('../api/text/predict.js')
  const { compareModels } = await import('../api/text/compare.js')
  const { confusionChart } = await import('../report/chart/confusion.js')
  const { evaluateText } = await import('../report/evaluate.js')
  if (compare !== undefined && job.input === '-')
    throw usage('--compare reads the text twice: give the file by its name')
  const model = await openClassifier(job)
  const errors = new ErrorsFile(errorsPath)
  const reportBad = badLineReporter(talk)
  try {
    const evaluation = await evaluate(
      predictions(model, job, { onProgress: rateReporter(talk) }),
      (classes) => labelsFor(model, classes),
      (line) => {
        reportBad(line)
        errors.add(line)
      },
    )
    const comparison = compare === undefined ? null : await compareModels(model, job, compare)
    return {
      report: { ...evaluation, runner: model.detail, globalStep: model.globalStep, ...(comparison === null ? {} : { comparison }) },
      text: evaluateText(evaluation, comparison),
      results: evalResults(evaluation, model.globalStep),
      svg: async () => (await import('../report/chart/render.js')).chartSvg(confusionChart(evaluation), 'light'),
    } // prettier-ignore
  } finally {
    errors.close()
    await model.close()
  }
}
