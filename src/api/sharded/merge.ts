import { basename, join } from 'node:path'
import { keepSources } from '../../base/sources.js'
import { malformed, usage } from '../../base/errors.js'
import { hashFile } from '../../files/hash-file.js'
import { MatrixFile, type MatrixFormat } from '../../files/matrix-file.js'
import { refuseExisting, refuseSame, WholeFile, writeWhole } from '../../files/atomic-file.js'
import { Turns } from '../../base/yield.js'
import type { ShardFile } from '../../sharding/manifest.js'
import {
  mergeErrors,
  mergeShards,
  readShardFile,
  readShards,
  type MergeReport,
  type ShardSet,
} from '../../sharding/merge.js'
import { evaluate } from '../inference/evaluate.js'
import { toJsonText } from '../../base/json-text.js'
import type { BadLine } from '../../text/data/examples.js'
import { badLine } from '../inference/errors-file.js'
import { readJsonLines } from './shards.js'
import type { Prediction } from '../inference/predict.js'
import { rankTrials } from '../sweep/merge-sweep.js'
import type { MergedSweep } from '../sweep/report.js'
import type { Merged, MergedEvaluation } from './report.js'

export interface MergeDirectoryOptions {
  readonly output?: string | undefined
  readonly errors?: string | undefined
  readonly force?: boolean | undefined
}

/** Path of a shard's file, whose contents are checked against its manifest. */
async function checkedFile(directory: string, file: ShardFile): Promise<string> {
  const turns = new Turns()
  for (const _ of readShardFile(directory, file)) await turns.next()
  return join(directory, basename(file.file))
}

/** Merges the lines of two files, each in the order of the input. */
async function* inOrder<T extends { line: number }>(a: AsyncIterator<T>, b: AsyncIterator<T>): AsyncGenerator<T> {
  let [x, y] = [await a.next(), await b.next()]
  while (x.done !== true || y.done !== true)
    if (y.done === true || (x.done !== true && x.value.line < y.value.line)) {
      yield x.value as T
      x = await a.next()
    } else {
      yield y.value
      y = await b.next()
    }
}

/** Results of an evaluation's shards for each line, in the order of the lines. */
async function* allPredictions({ directory, manifests }: ShardSet): AsyncGenerator<Prediction | BadLine> {
  for (const { output, errors } of manifests) {
    const answers: AsyncGenerator<Prediction | BadLine> = readJsonLines<Prediction>(
      await checkedFile(directory, output),
    )
    if (errors === null) yield* answers
    else yield* inOrder(answers, readJsonLines<BadLine>(await checkedFile(directory, errors)))
  }
}

/** Merges an evaluation's shards into the report and the unusable lines that one process would give. */
async function mergeEvaluation(
  set: ShardSet,
  { output, errors, force = false }: MergeDirectoryOptions,
): Promise<MergedEvaluation> {
  for (const path of [output, errors]) if (path !== undefined) refuseExisting(path, force)
  const [first] = set.manifests
  const labels = (first.options.labelNames as string[] | undefined) ?? null
  let failed: WholeFile | null = null
  try {
    const evaluation = await evaluate(
      allPredictions(set),
      (classes) => labels ?? numbered(classes),
      (bad) => {
        if (errors !== undefined) (failed ??= new WholeFile(errors)).write(Buffer.from(`${badLine(bad)}\n`))
      },
    )
    const merged = {
      command: 'evaluate',
      shards: set.manifests.length,
      inputLines: first.input.lines,
      evaluation,
    } as const
    if (output !== undefined) writeWhole(output, toJsonText(merged), force)
    ;(failed as WholeFile | null)?.commit()
    return merged
  } finally {
    ;(failed as WholeFile | null)?.discard()
  }
}

/** Ranks the trials of a sweep, and writes their report if a file is given. */
function mergeSweep(set: ShardSet, { output, force = false }: MergeDirectoryOptions): MergedSweep {
  if (output !== undefined) refuseExisting(output, force)
  const merged = rankTrials(set)
  if (output !== undefined) writeWhole(output, toJsonText(merged), force)
  return merged
}

/** Merges the vectors of the shards into one matrix. */
async function mergeMatrix(
  set: ShardSet,
  format: MatrixFormat,
  output: string,
  { errors, force = false }: MergeDirectoryOptions,
): Promise<MergeReport> {
  for (const path of [output, errors]) if (path !== undefined) refuseExisting(path, force)
  let matrix: MatrixFile | null = null
  try {
    const paths: string[] = []
    for (const { output: file } of set.manifests) paths.push(await checkedFile(set.directory, file))
    for (const path of paths)
      for await (const { vector } of readJsonLines<{ vector: number[] }>(path)) {
        matrix ??= new MatrixFile(output, format, vector.length, force)
        if (vector.length !== matrix.width)
          throw malformed('the vectors of the shards have different lengths', { code: 'shard-mismatch', file: path })
        matrix.add(vector)
      }
    if (matrix === null) throw malformed('the shards hold no vectors', { code: 'shard-mismatch', file: set.directory })
    await matrix.commit()
    const [first] = set.manifests
    return {
      command: 'embed',
      shards: set.manifests.length,
      inputLines: first.input.lines,
      output: { file: output, ...hashFile(output), lines: matrix.rows },
      errors: await mergeErrors(set, errors),
    }
  } finally {
    matrix?.discard()
  }
}

/**
 * Merges the shards of a directory: predictions and vectors into one file, those of an evaluation into its report.
 * @throws AlbertkitError `malformed` for gaps, overlaps, damage and shards of another model; `output`, `usage`
 */
export function mergeDirectory(directory: string, options: MergeDirectoryOptions): Promise<Merged> {
  return keepSources(() => merge(directory, options))
}

async function merge(directory: string, options: MergeDirectoryOptions): Promise<Merged> {
  const { output, errors, force } = options
  refuseSame({ 'the output': output, 'the file of errors': errors })
  const set = readShards(directory)
  const [first] = set.manifests
  if (first.command === 'evaluate') return mergeEvaluation(set, options)
  if (first.command === 'finetune') return mergeSweep(set, options)
  if (output === undefined) throw usage('merging shards requires `output`', { code: 'option-missing' })
  const { command } = first
  const { format } = first.options
  if (command === 'embed' && (format === 'npy' || format === 'safetensors'))
    return { ...(await mergeMatrix(set, format, output, options)), command }
  const report = await mergeShards(set, {
    output,
    ...(errors === undefined ? {} : { errors }),
    force: force ?? false,
  })
  return { ...report, command }
}

const numbered = (classes: number): string[] => Array.from({ length: classes }, (_, i) => String(i))
