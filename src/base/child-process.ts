import { fork, type ChildProcess, type SerializationType } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { onInterrupt } from './interrupt.js'
import { removeAbandoned } from './temporary-folder.js'

/** Time for a process that was killed to be gone. */
const PATIENCE_MS = 200

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
  const forget = onInterrupt(async () => {
    const ended = child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : once(child, 'exit')
    child.kill('SIGKILL')
    await Promise.race([ended, wait(PATIENCE_MS)])
    // What it had no time to remove.
    removeAbandoned(tmpdir())
  })
  return { child, forget }
}
