import { AlbertkitError, type ErrorDetail, type ErrorKind } from './errors.js'

/** An error as it passes from thread to thread and from process to process: plain data, without its cause. */
export interface Failure {
  /** Null unless the error is an AlbertkitError. */
  readonly kind: ErrorKind | null
  readonly message: string
  /** Null if `kind` is. */
  readonly detail: ErrorDetail | null
}

export function failureOf(error: unknown): Failure {
  if (!(error instanceof AlbertkitError))
    return { kind: null, message: error instanceof Error ? error.message : String(error), detail: null }
  const { kind, code, message, place, hint } = error
  return { kind, message, detail: { code, ...place, ...(hint === undefined ? {} : { hint }) } }
}

/** The error that became `failure`. */
export const errorOf = ({ kind, message, detail }: Failure): Error =>
  kind === null || detail === null ? new Error(message) : new AlbertkitError(kind, message, detail)
