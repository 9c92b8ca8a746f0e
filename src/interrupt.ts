/**
 * What must happen before the process dies of Ctrl-C: whoever creates a temporary file registers its removal here.
 * Registering changes nothing by itself; only the command line listens for signals, so that a program that uses
 * albertkit as a library keeps its own say.
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
      // The process is about to end, and there is nobody left who could act on it.
    }
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
export const INTERRUPTED_EXIT = 130

/**
 * On a signal: `report`, then the cleanups, then exit 130. A second signal ends the process at once. Gives the
 * function that stops listening.
 */
export function listenForInterrupts(report: (signal: NodeJS.Signals) => Promise<void>): () => void {
  let interrupted = false
  const onSignal = (signal: NodeJS.Signals): void => {
    if (interrupted) process.exit(INTERRUPTED_EXIT)
    interrupted = true
    void runCleanups()
      .then(() => report(signal))
      .finally(() => process.exit(INTERRUPTED_EXIT))
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
  return () => {
    for (const signal of SIGNALS) process.off(signal, onSignal)
  }
}
