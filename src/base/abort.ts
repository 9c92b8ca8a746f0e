import { AlbertkitError } from './errors.js'

/** Options of everything that takes longer than a second. */
export interface Abortable {
  /** Stops the work at its next step; nothing half-written is left behind. */
  readonly signal?: AbortSignal | undefined
}

/** The error of work that `signal` stopped. */
export const interruption = (signal: AbortSignal | undefined): AlbertkitError =>
  new AlbertkitError('interrupted', 'interrupted', { code: 'interrupted', cause: signal?.reason })

/** @throws AlbertkitError `interrupted` once `signal` is aborted */
export function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw interruption(signal)
}

/** Calls `stop` with the error once `signal` is aborted; the result ends that. */
export function onAbort(signal: AbortSignal | undefined, stop: (error: AlbertkitError) => void): () => void {
  const listener = (): void => {
    stop(interruption(signal))
  }
  signal?.addEventListener('abort', listener, { once: true })
  return () => signal?.removeEventListener('abort', listener)
}

/** Kinds of steps that operations report. */
export const PROGRESS_STAGES = [
  'writing',
  'reading back',
  'comparing weights',
  'comparing predictions',
  'examining',
  'running the reference',
  'running',
  'measuring',
  'searching',
  'trying',
] as const
export type ProgressStage = (typeof PROGRESS_STAGES)[number]

/** Step that an operation begins. */
export interface ProgressStep {
  readonly stage: ProgressStage
  /** Subject of the step: a file, a runtime, a variable; null for the model as a whole. */
  readonly item: string | null
  /** Number of steps of this stage before this one, and of all; null if they are not counted. */
  readonly done: number | null
  readonly total: number | null
  /** Advice on making this step shorter, if it takes long; else null. */
  readonly advice: string | null
}

export type OnProgress = (step: ProgressStep) => void

/** Options of operations that report their steps. */
export interface Reporting extends Abortable {
  /** Called before each step. */
  readonly onProgress?: OnProgress | undefined
}

/** A step. @param counted number of steps before this one, and of all */
export const progressStep = (
  stage: ProgressStage,
  item: string | null = null,
  counted: readonly [done: number, total: number] | null = null,
  advice: string | null = null,
): ProgressStep => ({ stage, item, done: counted?.[0] ?? null, total: counted?.[1] ?? null, advice })

/**
 * Options whose `onProgress` throws once their signal is aborted: every step of an operation calls it, so that each is
 * a place to stop at.
 * @throws AlbertkitError `interrupted` if the signal is aborted already
 */
export function stoppable<T extends Reporting>(options: T): T {
  const { signal, onProgress } = options
  if (signal === undefined) return options
  stopIfAborted(signal)
  const report = (step: ProgressStep): void => {
    stopIfAborted(signal)
    onProgress?.(step)
    stopIfAborted(signal)
  }
  return { ...options, onProgress: report }
}
