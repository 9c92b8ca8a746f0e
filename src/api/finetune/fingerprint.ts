import { createHash } from 'node:crypto'
import { hashFile, hashThrough } from '../../files/hash-file.js'
import { exists } from '../../formats/core/file-port.js'
import type { OpenedModel } from '../open/open.js'
import type { TrainData, TrainOptions } from './options.js'

/** Options that change the result; the others (threads, paths, callbacks) do not. */
const DECISIVE = [
  'task',
  'labels',
  'epochs',
  'batchSize',
  'accumulate',
  'steps',
  'learningRate',
  'warmup',
  'weightDecay',
  'optimizer',
  'layerwiseDecay',
  'freeze',
  'dropout',
  'seed',
  'runner',
  'evalEvery',
  'metric',
  'patience',
  'newHead',
  'maxSeqLength',
  'vocabulary',
  'lowerCase',
  'inputFormat',
  'header',
  'textColumn',
  'textBColumn',
  'labelColumn',
  'head',
  'scope',
  'ema',
  'mergeLora',
  'layerNormEpsilon',
] as const satisfies readonly (keyof TrainOptions)[]

/** The options that change the result, as they were given. */
export const decisiveOptions = (options: TrainOptions): Record<string, unknown> =>
  Object.fromEntries(DECISIVE.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])))

/** A file by its name and its bytes. */
export interface HashedInput {
  readonly name: string
  readonly sha256: string
}

const nameOf = (path: string): string => path.split(/[/\\]/).at(-1) ?? path

/** Files of the model, by their SHA-256. */
export const hashedModel = ({ files, source, rawConfig }: OpenedModel): HashedInput[] =>
  [...source.files, rawConfig.file]
    .filter((path) => exists(files, path))
    .map((path) => ({ name: nameOf(path), sha256: hashThrough(files, path).sha256 }))

/** Files of the data, by their SHA-256. */
export const hashedData = ({ train, dev }: TrainData): HashedInput[] =>
  [train, dev].flatMap((path) => (path === undefined ? [] : [{ name: nameOf(path), sha256: hashFile(path).sha256 }]))

/** Files of the model and the data, by their SHA-256. */
export const hashedInputs = (opened: OpenedModel, data: TrainData): HashedInput[] => [
  ...hashedModel(opened),
  ...hashedData(data),
]

/** Digest of everything that decides the result of a run. */
export function fingerprintOf(opened: OpenedModel, data: TrainData, options: TrainOptions): string {
  const parts = { inputs: hashedInputs(opened, data), options: decisiveOptions(options) }
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}
