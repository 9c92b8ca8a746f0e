import { fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { AlbertkitError, environment, type ErrorDetail, type ErrorKind } from '../../errors.js'
import { onInterrupt } from '../../interrupt.js'
import type { BenchRow } from '../bench.js'
import { measure, type MeasureTask } from './measure.js'

/** What the process says: what it is doing, as often as it likes; then what it found, once. */
export type MeasureAnswer =
  | { readonly progress: string }
  | { readonly rows: readonly BenchRow[] }
  | { readonly failed: { readonly kind: ErrorKind; readonly message: string; readonly detail: ErrorDetail } }
  | { readonly broken: string }

/** The process's own file; absent where this module runs as TypeScript, from which no process can start. */
const OWN = fileURLToPath(new URL('./measure-process.js', import.meta.url))
const PROCESS = existsSync(OWN) ? OWN : null

/**
 * Measures in a process of its own: what a model takes to load and in memory is only seen where none was loaded before.
 * @throws AlbertkitError as `measure` does; `environment` where the process crashes
 */
export function measureApart(task: MeasureTask, onProgress?: (what: string) => void): Promise<readonly BenchRow[]> {
  if (PROCESS === null) return measure(task, onProgress)
  // What runtimes write to the console is not for the person who asked.
  const child = fork(PROCESS, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  const forget = onInterrupt(() => void child.kill('SIGKILL'))
  return new Promise<readonly BenchRow[]>((resolve, reject) => {
    child.on('message', (answer: MeasureAnswer) => {
      if ('progress' in answer) onProgress?.(answer.progress)
      else if ('rows' in answer) resolve(answer.rows)
      else if ('broken' in answer) reject(new Error(answer.broken))
      else reject(new AlbertkitError(answer.failed.kind, answer.failed.message, answer.failed.detail))
    })
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      const how = signal === null ? `ended with exit code ${String(code)}` : `crashed (${signal})`
      reject(environment(`the process that measures ${task.runner} ${how}`, { file: task.file }))
    })
    child.send(task)
  }).finally(forget)
}
