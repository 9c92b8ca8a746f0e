import { Script } from 'node:vm'
import { isMainThread } from 'node:worker_threads'
import { AlbertkitError } from '../../base/errors.js'
import { isListening, withoutListening } from '../../base/interrupt.js'
import { DeadlineError, useContainment } from '../../formats/core/contained.js'

/** Global under which the script finds the function that it runs. */
const RUN = Symbol.for('albertkit.contained')
const script = new Script(`globalThis[Symbol.for('albertkit.contained')]()`)
const place = globalThis as unknown as Record<symbol, (() => void) | undefined>

/**
 * Runs synchronous code that can be stopped: V8 ends the script that calls it, loops of WebAssembly too, after that
 * time or, on the command line, on Ctrl-C. Other signals end the process at once meanwhile, since no handler could run.
 */
function contain<T>(run: () => T, milliseconds: number): T {
  const outer = place[RUN]
  const breakOnSigint = isMainThread && isListening()
  let result: { readonly value: T } | undefined
  place[RUN] = () => {
    result = { value: run() }
  }
  try {
    withoutListening(() => {
      script.runInThisContext({ timeout: milliseconds, breakOnSigint })
    })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED')
      throw new AlbertkitError('interrupted', 'interrupted (SIGINT)', { code: 'interrupted', cause: error })
    if (code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw new DeadlineError(`no result after ${milliseconds} ms`)
    throw error
  } finally {
    place[RUN] = outer
  }
  return result!.value
}

/** Lets code of others be stopped from now on. */
export const installContainment = (): void => {
  useContainment(contain)
}
