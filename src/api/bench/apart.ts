import { onAbort, type ProgressStep, type Reporting } from '../../base/abort.js'
import { environment } from '../../base/errors.js'
import { errorOf, type Failure } from '../../base/error-transfer.js'
import type { BenchRow } from './report.js'
import { processFile, startProcess } from '../../base/child-process.js'
import { measure, type MeasureTask } from './measure.js'

/** Messages of the process: any number of progress steps, then one result. */
export type MeasureAnswer =
  { readonly progress: ProgressStep } | { readonly rows: readonly BenchRow[] } | { readonly failure: Failure }

const PROCESS = processFile(new URL('./measure-process.js', import.meta.url))

/**
 * Measures in a separate process: load time and memory can only be measured if no model was loaded before.
 * @throws AlbertkitError as `measure`; `environment` if the process crashes
 */
export function measureApart(task: MeasureTask, { signal, onProgress }: Reporting = {}): Promise<readonly BenchRow[]> {
  if (PROCESS === null) return measure(task, onProgress)
  const { child, forget } = startProcess(PROCESS)
  let ignoreSignal = (): void => undefined
  return new Promise<readonly BenchRow[]>((resolve, reject) => {
    child.on('message', (answer: MeasureAnswer) => {
      if ('progress' in answer) {
        if (signal?.aborted !== true) onProgress?.(answer.progress)
      } else if ('rows' in answer) resolve(answer.rows)
      else reject(errorOf(answer.failure))
    })
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      const how = signal === null ? `ended with exit code ${String(code)}` : `crashed (${signal})`
      reject(
        environment(`the process that measures ${task.runner} ${how}`, { code: 'process-failed', file: task.file }),
      )
    })
    child.send(task)
    ignoreSignal = onAbort(signal, (error) => {
      child.kill('SIGKILL')
      reject(error)
    })
  }).finally(() => {
    ignoreSignal()
    forget()
  })
}
