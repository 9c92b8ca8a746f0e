import { AskedProcess } from '../../base/asked-process.js'
import { processFile } from '../../base/child-process.js'
import { environment, type AlbertkitError } from '../../base/errors.js'
import { omitUndefined } from '../../base/omit-undefined.js'
import type { RunnableFile, Runner, RunnerOptions } from '../../runtime/runners.js'
import type { ProcessReply, ProcessRequest } from './runner-data.js'

const PROCESS = processFile(new URL('./runner-process.js', import.meta.url))

/** True unless the code runs as TypeScript. */
export const HAS_PROCESSES = PROCESS !== null

const failed = (how: string): AlbertkitError =>
  environment(`the process of the runtime ${how}`, {
    code: 'process-failed',
    hint: 'a large model needs much memory',
  })

/**
 * Opens a model file in a runner in a separate process, which is killed if this one is interrupted: a native runtime
 * that loads or computes in this one would have to be waited for.
 * @throws AlbertkitError as `openRunner`
 */
export async function openInProcess(name: string, what: RunnableFile, options: RunnerOptions): Promise<Runner> {
  const process = new AskedProcess<ProcessRequest, ProcessReply>(PROCESS!, failed, 'advanced')
  try {
    // Callers pass options of theirs too, of which not all can be sent.
    const { adapter, allowSoftware, browser, threads, onnxPackage, fewRuns } = options
    const own = omitUndefined({ adapter, allowSoftware, browser, threads, onnxPackage, fewRuns })
    const reply = await process.ask({ open: { name, what, options: own } })
    if (!('runner' in reply)) throw new TypeError('the process answers what it was not asked')
    return {
      ...reply.runner,
      run: async (inputs, wanted) => {
        const answer = await process.ask({ inputs, wanted })
        return 'outputs' in answer ? answer.outputs : new Map()
      },
      close: () => {
        process.close()
        return Promise.resolve()
      },
    }
  } catch (error) {
    process.close()
    throw error
  }
}
