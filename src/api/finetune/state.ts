import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { utf8Bytes, utf8Text } from '../../base/bytes.js'
import { malformed, usage, type AlbertkitError } from '../../base/errors.js'
import { parseJson } from '../../base/json-text.js'
import { ownSources } from '../../base/sources.js'
import type { WholeFile } from '../../files/atomic-file.js'
import { writing } from '../../files/output-file.js'
import { writes } from '../../files/write-port.js'
import { Turns } from '../../base/yield.js'
import { readAll, type TensorSource } from '../../formats/core/source.js'
import { buildHeader } from '../../formats/safetensors/write.js'
import type { Parameter } from '../../model/albert.js'
import { openSource } from '../open/source.js'
import type { EvaluationPoint, StepReport } from './report.js'
import type { TrainedParameter, Trainer } from './trainer.js'

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

/** What is saved of a run. */
export interface RunState {
  readonly trained: readonly TrainedParameter[]
  readonly best: BestWeights | null
  readonly progress: Progress
  /** Of model, data and options, which a continued run must have too. */
  readonly fingerprint: string
}

/** Bytes that are written between two looks at the clock. */
const PIECE = 4 << 20

/**
 * Writes the state of a run, while signals are handled; it must not change meanwhile.
 * @param until time (`performance.now()`) at which writing is given up
 * @returns false if it was given up
 * @throws AlbertkitError `output`
 */
export async function writeState(file: WholeFile, state: RunState, until: number): Promise<boolean> {
  const { trained, best, progress, fingerprint } = state
  const texts = { progress: JSON.stringify(progress), fingerprint }
  const notes = Object.entries(texts).map(([name, text]) => {
    const data = utf8Bytes(text)
    return { name, dtype: 'U8' as const, shape: [data.length], data }
  })
  const weights = trained.flatMap(({ parameter, values, m, v }) => {
    const kept = best?.get(parameter)
    const all: [string, Float32Array | undefined][] = [
      ['weights', values],
      ['m', m],
      ['v', v],
      ['best', kept],
    ]
    const { slot, storedShape: shape } = parameter
    return all.flatMap(([kind, data]) =>
      data === undefined ? [] : [{ name: `${kind}/${slot}`, dtype: 'F32' as const, shape, data: bytesOf(data) }],
    )
  })
  // Floats first, so that they are aligned.
  const tensors = [...weights, ...notes]
  const turns = new Turns()
  file.write(buildHeader(tensors))
  for (const { data } of tensors)
    for (let at = 0; at < data.length; at += PIECE) {
      file.write(data.subarray(at, at + PIECE))
      await turns.next()
      if (performance.now() > until) return false
    }
  return true
}

const damaged = (file: string, tensor: string, cause?: unknown): AlbertkitError =>
  malformed('the state of the interrupted run is damaged', {
    code: 'value-invalid',
    file,
    tensor,
    hint: 'omit `resume` to start anew',
    cause,
  })

function restore(source: TensorSource, file: string, name: string, target: Float32Array): void {
  if (source.tensors.get(name)?.byteLength !== target.byteLength) throw damaged(file, name)
  bytesOf(target).set(readAll(source, name))
}

function parseProgress(text: string, file: string): Progress {
  try {
    const progress = parseJson(text) as Progress
    if (Number.isInteger(progress.step) && [progress.steps, progress.evaluations].every(Array.isArray)) return progress
  } catch (cause) {
    throw damaged(file, 'progress', cause)
  }
  throw damaged(file, 'progress')
}

/**
 * Reads the state of a run into a trainer.
 * @throws AlbertkitError `usage` if there is none, or if it belongs to other data or options; `malformed` if it is
 *   damaged
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
    restore(source, file, `weights/${parameter.slot}`, values)
    restore(source, file, `m/${parameter.slot}`, m)
    restore(source, file, `v/${parameter.slot}`, v)
    if (!source.tensors.has(`best/${parameter.slot}`)) continue
    const kept = new Float32Array(values.length)
    restore(source, file, `best/${parameter.slot}`, kept)
    best.set(parameter, kept)
  }
  return { progress: parseProgress(textOf('progress'), file), best: best.size > 0 ? best : null }
}

/** Removes the state of a run that is finished. */
export function removeState(directory: string): void {
  writing(directory, () => {
    writes.remove(join(directory, STATE_FILE))
  })
}
