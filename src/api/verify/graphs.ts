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
import { GRAPH_TARGET_INFOS } from '../../export/targets.js'
import type { DynamicWeights } from '../../model/reference/reference-dynamic.js'

/** The graphs that an output directory holds. */

export interface Graph {
  readonly target: GraphTarget
  readonly precision: Precision
  /** Relative to the output directory. */
  readonly file: string
  /** True if it computes in float16. */
  readonly half: boolean
  /** Products of quantised activations. */
  readonly dynamic: DynamicWeights
}

/** An object from JSON text that anybody may have written; an empty one if it is none. */
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
    dynamic: new Map(entries.filter((entry): entry is [string, 0 | 1] => entry[1] === 0 || entry[1] === 1)),
  }
}

/**
 * The graphs of a directory, in the order of `TARGETS` and, within a target, of its precisions. The precision is in the
 * name of the file if the target has one for each, else in its metadata.
 */
export function graphsIn(directory: string): Graph[] {
  return GRAPH_TARGET_INFOS.flatMap((row) => {
    const named = hasFilePerPrecision(row) ? row.precisions : [null]
    return named.flatMap((precision) => {
      const file = artefactPath(row.name, precision ?? 'f32')
      const path = join(directory, file)
      if (!existsSync(path)) return []
      // Nothing in the metadata matters for a file that is float32 by its name, which may be another program's.
      return [readGraph(row.name, file, precision, precision === 'f32' ? new Map() : row.metadata(disk, path))]
    })
  })
}
