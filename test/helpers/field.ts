import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { answerOf, violations, type Right } from './field-right.js'
import { strayFlags } from './hints.js'
import { BIN, userEnv, type Result } from './run.js'
import { SHARED } from './shared.js'

/** A check of `expect.json`. */
export interface FieldCheck {
  readonly case: string
  readonly input: string
  readonly command: readonly string[]
  readonly then?: readonly string[]
  readonly stdin?: string
  readonly right: Right | readonly Right[]
  readonly why: string
}

/** Folder of the field cases beside the project. */
export const FIELD = join(SHARED, 'field')
/** Cases that are in the project, so that a clone without the others tries them too. */
export const FIELD_HERE = fileURLToPath(new URL('../fixtures/field', import.meta.url))
export const hasField = existsSync(join(FIELD, 'expect.json'))

export const readChecks = (folder: string): readonly FieldCheck[] =>
  JSON.parse(readFileSync(join(folder, 'expect.json'), 'utf8')) as FieldCheck[]

/** Name of a check: its input and what is done with it. */
export const nameOf = ({ input, command, then = [] }: FieldCheck): string =>
  [input, ...command, ...(then.length > 0 ? ['&&', ...then] : [])].join(' ')

function albertkit(args: readonly string[], stdin: string): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BIN, ...args], { env: userEnv() })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.on('close', (code) => {
      const stray = strayFlags(args, { code, stdout, stderr })
      if (stray.length > 0) reject(new Error(`a message leads nowhere: ${stray.join(', ')}\n${stderr}`))
      else resolve({ code, stdout, stderr })
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(stdin)
  })
}

/**
 * Runs a check below `folder`. Returns what is wrong with its answer, for each thing that would be right, or an empty
 * string if one of them holds.
 */
export async function tryCheck(folder: string, check: FieldCheck): Promise<string> {
  const out = mkdtempSync(join(tmpdir(), 'albertkit-field-'))
  const places = { IN: join(folder, check.input), HERE: join(folder, check.case), OUT: join(out, 'out') }
  const placed = (args: readonly string[]): string[] =>
    args.map((arg) => arg.replace(/^(IN|HERE|OUT)(?=\/|$)/, (name) => places[name as keyof typeof places]))
  try {
    const { stdin = '', then } = check
    const results = [await albertkit(placed(check.command), stdin)]
    if (then !== undefined && results[0]!.code === 0) results.push(await albertkit(placed(then), stdin))
    const answer = answerOf(results)
    const flags = [...check.command, ...(then ?? [])].filter((arg) => /^--?\w/.test(arg))
    const given = [...Object.values(places), ...placed(check.command), ...placed(then ?? [])].filter((arg) =>
      arg.includes('/'),
    )
    const wrong = [check.right].flat().map((right) => violations(right, answer, [...given, ...flags]))
    if (wrong.some((keys) => keys.length === 0)) return ''
    const keys = wrong.map((list) => list.join(', ')).join(' | ')
    return `${check.why}\nwrong: ${keys}\nexit ${answer.exit}\n${answer.words.slice(0, 2000)}`
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}
