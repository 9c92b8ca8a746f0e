import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { malformed, usage } from '../../errors.js'
import { hashFile } from '../../export/hash-file.js'
import { refuseExisting } from '../../export/whole-file.js'
import { MatrixFile, type MatrixFormat } from '../../export/vectors.js'
import {
  mergeErrors,
  mergeShards,
  readShardFile,
  readShards,
  type MergeReport,
  type ShardSet,
} from '../../scale/merge.js'
import { evaluate, type Evaluation } from './evaluate.js'
import { readPredictions } from './shards.js'
import type { Prediction } from './predict.js'

export interface MergedEvaluation {
  readonly command: 'evaluate'
  readonly shards: number
  readonly inputLines: number
  readonly evaluation: Evaluation
}

export type Merged = (MergeReport & { readonly command: 'predict' | 'embed' }) | MergedEvaluation

export interface MergeDirectoryOptions {
  readonly output?: string | undefined
  readonly errors?: string | undefined
  readonly force?: boolean | undefined
}

/** The paths of the shards' files, each checked against its manifest: what is read is what was computed. */
function* checkedFiles({ directory, manifests }: ShardSet): Generator<string> {
  for (const { output } of manifests) {
    for (const _ of readShardFile(directory, output)) continue
    yield join(directory, output.file)
  }
}

async function* allPredictions(set: ShardSet): AsyncGenerator<Prediction> {
  for (const path of checkedFiles(set)) yield* readPredictions(path)
}

/** The vectors of the shards as one matrix. */
async function mergeMatrix(
  set: ShardSet,
  format: MatrixFormat,
  output: string,
  { errors, force = false }: MergeDirectoryOptions,
): Promise<MergeReport> {
  for (const path of [output, errors]) if (path !== undefined) refuseExisting(path, force)
  let matrix: MatrixFile | null = null
  try {
    for (const path of checkedFiles(set))
      for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
        const { vector } = JSON.parse(line) as { vector: number[] }
        matrix ??= new MatrixFile(output, format, vector.length, force)
        if (vector.length !== matrix.width)
          throw malformed('the vectors of the shards are of different lengths', { file: path })
        matrix.add(vector)
      }
    if (matrix === null) throw malformed('the shards hold no vectors', { file: set.directory })
    matrix.commit()
    const [first] = set.manifests
    return {
      command: 'embed',
      shards: set.manifests.length,
      inputLines: first.input.lines,
      output: { file: output, ...hashFile(output), lines: matrix.rows },
      errors: mergeErrors(set, errors),
    }
  } finally {
    matrix?.discard()
  }
}

/**
 * Joins the shards of a directory: predictions and vectors into one file, those of an evaluation into its report.
 * @throws AlbertkitError `malformed` for gaps, overlaps, damage and shards of another model; `output`, `usage`
 */
export async function mergeDirectory(directory: string, options: MergeDirectoryOptions): Promise<Merged> {
  const { output, errors, force } = options
  const set = readShards(directory)
  const [first] = set.manifests
  if (first.command === 'evaluate') {
    const labels = (first.options.labelNames as string[] | undefined) ?? null
    const evaluation = await evaluate(allPredictions(set), (classes) => labels ?? numbered(classes))
    return { command: 'evaluate', shards: set.manifests.length, inputLines: first.input.lines, evaluation }
  }
  if (output === undefined) throw usage('merging what shards hold needs -o FILE')
  const { command } = first
  const { format } = first.options
  if (command === 'embed' && (format === 'npy' || format === 'safetensors'))
    return { ...(await mergeMatrix(set, format, output, options)), command }
  const report = mergeShards(set, {
    output,
    ...(errors === undefined ? {} : { errors }),
    force: force ?? false,
  })
  return { ...report, command }
}

const numbered = (classes: number): string[] => Array.from({ length: classes }, (_, i) => String(i))
