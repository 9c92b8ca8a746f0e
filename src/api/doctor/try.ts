import { processFile, startProcess } from '../../base/child-process.js'
import { probe, type Probe, type ProbeTask } from './probe.js'

const PROCESS = processFile(new URL('./probe-process.js', import.meta.url))

/** Timeout: a browser starts in a few seconds, so a process that takes longer than this hangs. */
const PATIENCE_MS = 90_000

/** Tries a runtime in a separate process; a crash or a hang is reported as `broken`. */
export function tryRuntime(task: ProbeTask, file = PROCESS, patience = PATIENCE_MS): Promise<Probe> {
  if (file === null) return probe(task)
  const { child, forget } = startProcess(file)
  return new Promise<Probe>((resolve) => {
    const broken = (reason: string): void => {
      resolve({ worked: false, kind: 'crash', reason, fix: null })
    }
    const timer = setTimeout(() => {
      broken(`it did not answer within ${patience / 1000} seconds`)
      child.kill('SIGKILL')
    }, patience)
    child.once('message', (answer) => {
      resolve(answer as Probe)
    })
    child.once('error', (error) => {
      broken(error.message)
    })
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      broken(signal === null ? `its process ended with exit code ${String(code)}` : `its process crashed (${signal})`)
    })
    child.send(task)
  }).finally(forget)
}
