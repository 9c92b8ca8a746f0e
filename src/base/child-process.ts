import { fork, type ChildProcess, type SerializationType } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { onInterrupt } from './interrupt.js'

/** Path of a process entry of albertkit; null if the code runs as TypeScript, from which no process can start. */
export function processFile(url: URL): string | null {
  const file = fileURLToPath(url)
  return existsSync(file) ? file : null
}

/**
 * Starts the process; it ends with this one if that is interrupted before `forget` is called.
 * @param serialization of messages; `advanced` keeps typed arrays
 */
export function startProcess(
  file: string,
  serialization: SerializationType = 'json',
): { readonly child: ChildProcess; readonly forget: () => void } {
  // What runtimes write to the console is not for the user. Options of this process's Node may not fit a file (`-e`).
  const child = fork(file, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], serialization, execArgv: [] })
  return { child, forget: onInterrupt(() => void child.kill('SIGKILL')) }
}
