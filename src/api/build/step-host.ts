import type { OnProgress } from '../../base/abort.js'
import { AskedProcess } from '../../base/asked-process.js'
import { processFile } from '../../base/child-process.js'
import { environment } from '../../base/errors.js'
import type { StepRequest } from './step-process.js'
import type { StepJob, StepResult } from './steps.js'

const PROCESS = processFile(new URL('./step-process.js', import.meta.url))

/** Does the steps of one model in a process of its own. */
export class StepHost {
  #process: AskedProcess<StepRequest, StepResult> | null = null

  async run(job: StepJob, onProgress: OnProgress): Promise<StepResult> {
    // Imported when a step runs, with all that converts: a build that finds nothing changed starts quickly.
    if (PROCESS === null) return (await import('./steps.js')).runStep(job, onProgress)
    const failed = (how: string) =>
      environment(`the process of the build ${how}`, {
        code: 'process-failed',
        hint: 'the model may need more memory than there is, or a runtime crashes on it; fewer at once: `jobs`',
      })
    this.#process ??= new AskedProcess<StepRequest, StepResult>(PROCESS, failed)
    return this.#process.ask({ job }, onProgress)
  }

  close(): void {
    this.#process?.close()
    this.#process = null
  }
}
