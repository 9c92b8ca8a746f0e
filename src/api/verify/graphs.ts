import { existsSync } from 'node:fs'
import { disk } from '../../files/disk.js'
import { join } from 'node:path'
import {
  artefactPath,
  hasFilePerPrecision,
  PRECISIONS,
  type GraphTarget,
  type Precision,
} from '../../base/artefact-layout.js'
import { graphTarget, GRAPH_TARGET_INFOS } from '../../export/targets.js'
import type { DynamicWeights } from '../../model/reference/reference-dynamic.js'

/** Graphs in an output directory. */

export interface Graph {
  readonly target: GraphTarget
  readonly precision: Precision
  /** Path relative to the output directory. */
  readonly file: string
  /** True if it computes in float16. */
  readonly half: boolean
  /** Weights that are multiplied with quantised activations. */
  readonly dynamic: DynamicWeights
}

/** Parses untrusted JSON text; `{}` if it is not an object. */
export function parsedObject(text: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? '{}')
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function readGraph(
  target: GraphTarget,
  file: string,
  named: Precision | null,
  metadata: ReadonlyMap<string, string>,
): Graph {
  const entries = Object.entries(parsedObject(metadata.get('dynamic')))
  return {
    target,
    precision: named ?? PRECISIONS.find((precision) => precision === metadata.get('dtype')) ?? 'f32',
    file,
    half: metadata.get('compute') === 'f16',
    dynamic: {
      axes: new Map(entries.filter((entry): entry is [string, 0 | 1] => entry[1] === 0 || entry[1] === 1)),
      by: metadata.get('activations') === 'rows' ? 'row' : 'tensor',
    },
  }
}

/**
 * Graphs of a directory, in the order of `TARGETS` and, within a target, of its precisions. The precision is in the
 * file name if the target has one file per precision, else in the metadata.
 */
export function graphsIn(directory: string): Graph[] {
  return GRAPH_TARGET_INFOS.flatMap((row) => {
    const named = hasFilePerPrecision(row) ? row.precisions : [null]
    return named.flatMap((precision) => {
      const file = artefactPath(row.name, precision ?? 'f32')
      const path = join(directory, file)
      if (!existsSync(path)) return []
      // A file that is float32 by its name may be another program's; its metadata is not needed.
      return [readGraph(row.name, file, precision, precision === 'f32' ? new Map() : row.metadata(disk, path))]
    })
  })
}

/** Lengths of the graphs that take no other, each once. */
export const fixedLengths = (directory: string | null, graphs: readonly Graph[]): number[] => [
  ...new Set(
    graphs.flatMap(({ target, file }) => graphTarget(target).lengthOf?.(disk, join(directory ?? '', file)) ?? []),
  ),
]
