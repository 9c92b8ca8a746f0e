import { fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { onInterrupt } from '../../interrupt.js'
import { probe, type Probe, type ProbeTask } from './probe.js'

/** The process's own file; absent where this module runs as TypeScript, from which no process can start. */
const OWN = fileURLToPath(new URL('./probe-process.js', import.meta.url))
const PROCESS = existsSync(OWN) ? OWN : null

/** A browser starts in a few seconds; what needs longer than this hangs. */
const PATIENCE_MS = 90_000

/** Tries a runtime in a process of its own, and says so where that crashes or hangs. */
export function tryRuntime(task: ProbeTask, file = PROCESS, patience = PATIENCE_MS): Promise<Probe> {
  if (file === null) return probe(task)
  // What runtimes write to the console is not for the person who asked.
  const child = fork(file, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  const kill = (): void => void child.kill('SIGKILL')
  const forget = onInterrupt(kill)
  return new Promise<Probe>((resolve) => {
    const broken = (reason: string): void => {
      resolve({ worked: false, kind: 'crash', reason, fix: null })
    }
    const timer = setTimeout(() => {
      broken(`it did not answer within ${patience / 1000} seconds`)
      kill()
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
