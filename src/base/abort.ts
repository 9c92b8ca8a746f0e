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

/** Told what is being done, before each step. */
export interface Told extends Abortable {
  readonly onProgress?: ((what: string) => void) | undefined
}

/**
 * Options whose `onProgress` throws once their signal is aborted: every step of an operation calls it, so that each is
 * a place to stop at.
 * @throws AlbertkitError `interrupted` if the signal is aborted already
 */
export function stoppable<T extends Told>(options: T): T {
  const { signal, onProgress } = options
  if (signal === undefined) return options
  stopIfAborted(signal)
  const step = (what: string): void => {
    stopIfAborted(signal)
    onProgress?.(what)
    stopIfAborted(signal)
  }
  return { ...options, onProgress: step }
}
