import { constants } from 'node:os'

/**
 * Function to run before the process ends on Ctrl-C: code that creates a temporary file registers its removal here.
 * Registering has no other effect; only the command line listens for signals, so that a program that uses albertkit as
 * a library decides for itself.
 */
type Cleanup = () => void | Promise<void>

const cleanups = new Set<Cleanup>()

/** Calls `cleanup` if the process is interrupted. Gives the function that takes the registration back. */
export function onInterrupt(cleanup: Cleanup): () => void {
  const own: Cleanup = () => cleanup()
  cleanups.add(own)
  return () => {
    cleanups.delete(own)
  }
}

/** Runs every registered cleanup once, the newest first; one that fails does not keep the others from running. */
export async function runCleanups(): Promise<void> {
  const newestFirst = [...cleanups].reverse()
  cleanups.clear()
  for (const cleanup of newestFirst) {
    try {
      await cleanup()
    } catch {
      // The process is about to end, so that nothing could act on the error.
    }
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Exit code that a shell reports for a process that the signal ended: 130 for Ctrl-C, 143 for SIGTERM. */
const exitCodeOf = (signal: NodeJS.Signals): number => 128 + constants.signals[signal]

/** Cleanups that take longer than this are announced. */
const PATIENCE_MS = 500

export interface InterruptListener {
  /** Says what happened, when everything is cleaned up. */
  readonly report: (signal: NodeJS.Signals) => Promise<void>
  /** Says that cleaning up takes a while. */
  readonly waiting: () => void
}

/** The present listener; null if there is none. */
let listening: ((signal: NodeJS.Signals) => void) | null = null

let interrupted = false

/** True once a signal ends the process: what fails from then on fails because of that. */
export const isInterrupted = (): boolean => interrupted

/**
 * Lets a signal take effect that came during synchronous work. It ends the process, so that nothing follows: what is
 * done already counts less than the wish to stop.
 */
export async function noticeSignals(): Promise<void> {
  // A turn that begins among the events of one poll ends before the next poll.
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve))
  if (interrupted) await new Promise(() => undefined)
}

/** True if signals end the process in an orderly way. */
export const isListening = (): boolean => listening !== null

/**
 * Runs synchronous code during which no handler could run: signals do meanwhile what they do by default, which is to
 * end the process at once. What it leaves behind is removed by the next one.
 */
export function withoutListening<T>(run: () => T): T {
  const own = listening
  if (own === null) return run()
  for (const signal of SIGNALS) process.off(signal, own)
  try {
    return run()
  } finally {
    // Not after the last command has ended.
    if (listening === own) for (const signal of SIGNALS) process.on(signal, own)
  }
}

/**
 * On a signal: the cleanups, then `report`, then exit 130, or 143 of SIGTERM. A second signal ends the process at once,
 * by that signal (a shell reports 130 for Ctrl-C): threads that compute cannot be stopped in an orderly way, and
 * `process.exit` would wait for them or abort. Gives the function that stops listening.
 */
export function listenForInterrupts({ report, waiting }: InterruptListener): () => void {
  interrupted = false
  const stopListening = (): void => {
    if (listening === onSignal) listening = null
    for (const signal of SIGNALS) process.off(signal, onSignal)
  }
  const onSignal = (signal: NodeJS.Signals): void => {
    if (interrupted) {
      stopListening()
      process.kill(process.pid, signal)
      return
    }
    interrupted = true
    const timer = setTimeout(waiting, PATIENCE_MS)
    void runCleanups()
      .then(() => {
        clearTimeout(timer)
        return report(signal)
      })
      .finally(() => process.exit(exitCodeOf(signal)))
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
  listening = onSignal
  return stopListening
}
