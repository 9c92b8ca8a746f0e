import { fork, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { onInterrupt } from './interrupt.js'

/** The file of a process of ours; null where the code runs as TypeScript, from which no process can start. */
export function processFile(url: URL): string | null {
  const file = fileURLToPath(url)
  return existsSync(file) ? file : null
}

/** Starts it; it ends with this process where that is interrupted before `forget` is called. */
export function startProcess(file: string): { readonly child: ChildProcess; readonly forget: () => void } {
  // What runtimes write to the console is not for the person who asked.
  const child = fork(file, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  return { child, forget: onInterrupt(() => void child.kill('SIGKILL')) }
}
