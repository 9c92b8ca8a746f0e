import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { utf8Bytes, utf8Text } from '../../base/bytes.js'
import { usage } from '../../base/errors.js'
import { ownSources } from '../../base/sources.js'
import { WholeFile } from '../../files/atomic-file.js'
import { writing } from '../../files/output-file.js'
import { writes } from '../../files/write-port.js'
import { readAll, type TensorSource } from '../../formats/core/source.js'
import { writeSafetensors } from '../../formats/safetensors/write.js'
import type { Parameter } from '../../model/albert.js'
import { openSource } from '../open/source.js'
import type { EvaluationPoint, StepReport } from './report.js'
import type { Trainer } from './trainer.js'

/** File with the state of an unfinished run, in its output directory. */
export const STATE_FILE = 'training-state.safetensors'

/** State that the next step depends on, apart from weights, m and v; orders and masks follow from `step`. */
export interface Progress {
  /** Number of finished steps. */
  step: number
  readonly steps: StepReport[]
  readonly evaluations: EvaluationPoint[]
  /** Evaluations since the best one. */
  sinceBest: number
  /** Sums of the last steps, for the accuracy in training. */
  trainRight: number
  trainCount: number
}

export const newProgress = (): Progress => ({
  step: 0,
  steps: [],
  evaluations: [],
  sinceBest: 0,
  trainRight: 0,
  trainCount: 0,
})

/** Weights that were the best in an evaluation, by parameter. */
export type BestWeights = ReadonlyMap<Parameter, Float32Array>

const bytesOf = (data: Float32Array): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

/**
 * Writes the state of a run; the file appears whole or not at all.
 * @param fingerprint of model, data and options, which a continued run must have too
 */
export function saveState(
  directory: string,
  trainer: Trainer,
  best: BestWeights | null,
  { progress, fingerprint }: { readonly progress: Progress; readonly fingerprint: string },
): void {
  const texts = { progress: JSON.stringify(progress), fingerprint }
  const notes = Object.entries(texts).map(([name, text]) => {
    const data = utf8Bytes(text)
    return { name, dtype: 'U8' as const, shape: [data.length], data }
  })
  const weights = trainer.trained.flatMap(({ parameter, values, m, v }) => {
    const kept = best?.get(parameter)
    const all: [string, Float32Array | undefined][] = [
      ['weights', values],
      ['m', m],
      ['v', v],
      ['best', kept],
    ]
    return all.flatMap(([kind, data]) =>
      data === undefined
        ? []
        : [
            {
              name: `${kind}/${parameter.slot}`,
              dtype: 'F32' as const,
              shape: parameter.storedShape,
              data: bytesOf(data),
            },
          ],
    )
  })
  // Floats first, so that they are aligned.
  const tensors = [...weights, ...notes]
  const data = new Map<string, Uint8Array>(tensors.map((tensor) => [tensor.name, tensor.data]))
  const file = new WholeFile(join(directory, STATE_FILE))
  try {
    writeSafetensors(
      (bytes) => {
        file.write(bytes)
      },
      tensors,
      ({ name }, put) => {
        put(data.get(name)!)
      },
    )
    file.commit()
  } finally {
    file.discard()
  }
}

function restore(source: TensorSource, name: string, target: Float32Array): boolean {
  if (!source.tensors.has(name)) return false
  bytesOf(target).set(readAll(source, name))
  return true
}

/**
 * Reads the state of a run into a trainer.
 * @throws AlbertkitError `usage` if there is none, or if it belongs to other data or options
 */
export async function loadState(
  directory: string,
  trainer: Trainer,
  fingerprint: string,
): Promise<{ progress: Progress; best: BestWeights | null }> {
  const file = join(directory, STATE_FILE)
  if (!existsSync(file))
    throw usage('there is no interrupted run to continue', {
      code: 'file-missing',
      file,
      hint: 'omit `resume`, or name the directory of the interrupted run as `output`',
    })
  // Later states replace this file, so it is not registered as a source.
  using source = await ownSources(() => openSource(file))
  const textOf = (name: string): string => (source.tensors.has(name) ? utf8Text(readAll(source, name)) : '')
  if (textOf('fingerprint') !== fingerprint)
    throw usage('the interrupted run has another model, other data or other options', {
      code: 'option-conflict',
      file,
      hint: 'give the same arguments as before, or omit `resume` to start anew',
    })
  const best = new Map<Parameter, Float32Array>()
  for (const { parameter, values, m, v } of trainer.trained) {
    restore(source, `weights/${parameter.slot}`, values)
    restore(source, `m/${parameter.slot}`, m)
    restore(source, `v/${parameter.slot}`, v)
    const kept = new Float32Array(values.length)
    if (restore(source, `best/${parameter.slot}`, kept)) best.set(parameter, kept)
  }
  const progress = JSON.parse(textOf('progress')) as Progress
  return { progress, best: best.size > 0 ? best : null }
}

/** Removes the state of a run that is finished. */
export function removeState(directory: string): void {
  writing(directory, () => {
    writes.remove(join(directory, STATE_FILE))
  })
}
