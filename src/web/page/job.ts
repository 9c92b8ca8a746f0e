import { useEffect, useRef, useState } from 'preact/hooks'
import type { ProgressStep } from '../../base/abort.js'
import { AlbertkitError } from '../../base/errors.js'

/** What an operation is told of a job. */
export interface JobOptions {
  readonly signal: AbortSignal
  readonly onProgress: (step: ProgressStep) => void
}

export interface Job<T> {
  readonly running: boolean
  readonly result: T | null
  readonly error: Error | null
  readonly step: ProgressStep | null
  readonly run: (body: (options: JobOptions) => Promise<T>) => void
  readonly cancel: () => void
}

interface State<T> {
  readonly running: boolean
  readonly result: T | null
  readonly error: Error | null
  readonly step: ProgressStep | null
}

const IDLE = { running: false, result: null, error: null, step: null } as const

const isInterrupted = (error: unknown): boolean => error instanceof AlbertkitError && error.code === 'interrupted'

/** An operation of a view: one at a time, the next one takes its place; it ends with the view. */
export function useJob<T>(): Job<T> {
  const [state, setState] = useState<State<T>>(IDLE)
  const current = useRef<AbortController | null>(null)
  const cancel = (): void => {
    current.current?.abort()
    current.current = null
  }
  const run = (body: (options: JobOptions) => Promise<T>): void => {
    cancel()
    const own = new AbortController()
    current.current = own
    const tell = (next: (before: State<T>) => State<T>): void => {
      if (current.current === own) setState(next)
    }
    setState((before) => ({ ...before, running: true, error: null, step: null }))
    body({
      signal: own.signal,
      onProgress: (step) => {
        tell((before) => ({ ...before, step }))
      },
    }).then(
      (result) => {
        tell(() => ({ ...IDLE, result }))
      },
      (error: unknown) => {
        tell(() => ({ ...IDLE, error: error instanceof Error ? error : new Error(String(error)) }))
        if (isInterrupted(error)) setState((before) => ({ ...before, running: false, error: null }))
      },
    )
  }
  useEffect(() => cancel, [])
  return {
    ...state,
    run,
    cancel: () => {
      cancel()
      setState((before) => ({ ...before, running: false, step: null }))
    },
  }
}
