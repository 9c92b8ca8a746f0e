import { processFile, startProcess } from '../../base/child-process.js'
import type { GpuStep } from './report.js'
import { runStep, type StepAnswer, type StepTask } from './step.js'

const PROCESS = processFile(new URL('./gpu-step-process.js', import.meta.url))

/**
 * Runs a step in a separate process; after a crash or a hang the result is what it told before, and how it ended.
 * @param patience milliseconds that it may take
 */
export function stepApart(task: StepTask, patience: number, file = PROCESS): Promise<Partial<GpuStep>> {
  if (file === null) return runStep(task, () => undefined)
  const { child, forget } = startProcess(file)
  return new Promise<Partial<GpuStep>>((resolve) => {
    let known: Partial<GpuStep> = {}
    const failed = (reason: string): void => {
      resolve({ ...known, status: 'failed', reason })
    }
    const timer = setTimeout(() => {
      failed(`it did not end within ${(patience / 1000).toFixed(0)} seconds`)
      child.kill('SIGKILL')
    }, patience)
    child.on('message', (answer: StepAnswer) => {
      if ('done' in answer) resolve({ ...known, ...answer.done })
      else known = { ...known, ...answer.part }
    })
    child.once('error', (error) => {
      failed(error.message)
    })
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      failed(signal === null ? `its process ended with exit code ${String(code)}` : `its process crashed (${signal})`)
    })
    child.send(task)
  }).finally(forget)
}
