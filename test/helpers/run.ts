import { spawn, type SpawnOptions } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { strayFlags } from './hints.js'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))
/** The command line as it is installed; `npm test` builds it first. */
export const BIN = `${ROOT}bin/run.js`

export interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The environment without what the test runner adds: under NODE_ENV=test oclif looks for sources to compile. */
export function userEnv(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { NODE_ENV: _, VITEST: __, FORCE_COLOR: ___, ...env } = process.env
  return { ...env, ...extra }
}

/** Runs a program to its end, its output captured. */
export function run(program: string, args: readonly string[], options: SpawnOptions = {}): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: userEnv(), ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.on('error', reject).on('close', (code) => {
      resolve({ code, stdout, stderr })
    })
  })
}

/** Runs `albertkit` with `args`. @throws Error if it names a flag to its user that it does not have */
export async function albertkit(args: readonly string[], options?: SpawnOptions): Promise<Result> {
  const result = await run(process.execPath, [BIN, ...args], options)
  const stray = strayFlags(args, result)
  if (stray.length > 0)
    throw new Error(`a message leads nowhere: ${stray.join(', ')}\n${result.stderr}${result.stdout}`)
  return result
}
