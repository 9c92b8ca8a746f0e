import { join } from 'node:path'
import { usage } from '../../errors.js'
import { mergeShards, readShardFile, readShards, type MergeReport, type ShardSet } from '../../scale/merge.js'
import { evaluate, type Evaluation } from './evaluate.js'
import { readPredictions } from './job.js'
import type { Prediction } from './predict.js'

export interface MergedEvaluation {
  readonly command: 'evaluate'
  readonly shards: number
  readonly inputLines: number
  readonly evaluation: Evaluation
}

export type Merged = (MergeReport & { readonly command: 'predict' | 'embed' }) | MergedEvaluation

async function* allPredictions({ directory, manifests }: ShardSet): AsyncGenerator<Prediction> {
  for (const { output } of manifests) {
    // Reads it once for the hash: what is scored is what was computed.
    for (const _ of readShardFile(directory, output)) continue
    yield* readPredictions(join(directory, output.file))
  }
}

/**
 * Joins the shards of a directory: predictions into one file, those of an evaluation into its report.
 * @throws AlbertkitError `malformed` for gaps, overlaps, damage and shards of another model; `output`, `usage`
 */
export async function mergeDirectory(
  directory: string,
  { output, errors, force }: { output?: string | undefined; errors?: string | undefined; force?: boolean | undefined },
): Promise<Merged> {
  const set = readShards(directory)
  const [first] = set.manifests
  if (first.command === 'evaluate') {
    const labels = (first.options.labelNames as string[] | undefined) ?? null
    const evaluation = await evaluate(allPredictions(set), (classes) => labels ?? numbered(classes))
    return { command: 'evaluate', shards: set.manifests.length, inputLines: first.input.lines, evaluation }
  }
  if (output === undefined) throw usage('merging predictions needs -o FILE')
  const report = mergeShards(set, {
    output,
    ...(errors === undefined ? {} : { errors }),
    force: force ?? false,
  })
  return { ...report, command: first.command }
}

const numbered = (classes: number): string[] => Array.from({ length: classes }, (_, i) => String(i))
