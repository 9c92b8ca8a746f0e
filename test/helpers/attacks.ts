import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { runMeasured, type MeasuredRun } from '../../scripts/limits/run.js'
import { BIN, ROOT, userEnv } from './run.js'
import { SHARED } from './shared.js'
import { xmlProblem } from './xml.js'

/**
 * The checks of `../shared/fixtures/attacks/expect.json`, whose keys its README describes. Large files are made by its
 * `make.mjs` into a temporary folder, once for all checks that need them.
 */

/** What must hold of the outcome of a check. */
interface Right {
  readonly exit?: readonly number[]
  readonly seconds?: number
  readonly cpu?: number
  readonly mebibytes?: number
  readonly mentions?: readonly (string | readonly string[])[]
  readonly not?: readonly string[]
  readonly xml?: readonly string[]
  readonly absent?: boolean
}

export interface AttackCheck {
  readonly finding: number
  readonly file?: string
  readonly generator?: string
  readonly command: readonly string[]
  readonly right: Right | readonly Right[]
  readonly why: string
}

/** Folder of the attacks beside the project. */
export const ATTACKS = join(SHARED, 'attacks')
export const hasAttacks = existsSync(join(ATTACKS, 'expect.json'))

const DEFAULT_SECONDS = 5
const DEFAULT_MEBIBYTES = 400
/** Exit codes of the README, and those of a shell for the two signals. */
const EXIT_CODES = new Set([0, 1, 2, 3, 4, 5, 6, 130, 143])
/** Files up to this size are compared byte by byte, larger ones by their size and time. */
const HASHED_BYTES = 4 * 1024 * 1024

export const readAttacks = (folder: string): readonly AttackCheck[] =>
  JSON.parse(readFileSync(join(folder, 'expect.json'), 'utf8')) as AttackCheck[]

export const nameOfAttack = ({ finding, file, generator, command }: AttackCheck): string =>
  `${finding} ${file ?? generator ?? ''}: ${command.join(' ')}`

/** Copies a folder of attacks; what is compressed only to be small is unpacked. */
function copyAttack(from: string, to: string): void {
  cpSync(from, to, { recursive: true })
  for (const name of readdirSync(to))
    if (name.endsWith('.gz') && !name.endsWith('.tar.gz')) {
      writeFileSync(join(to, name.slice(0, -'.gz'.length)), gunzipSync(readFileSync(join(to, name))))
      rmSync(join(to, name))
    }
}

/** Every file of a folder, and what says whether it is still the same. */
function stateOf(folder: string): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return new Map(
    names.map((name) => {
      const path = join(folder, name)
      const stats = statSync(path)
      const small = stats.isFile() && stats.size <= HASHED_BYTES
      const contents = small ? createHash('sha256').update(readFileSync(path)).digest('hex') : stats.mtimeMs
      return [path, `${stats.mode} ${stats.isFile() ? stats.size : ''} ${stats.isDirectory() ? '' : contents}`]
    }),
  )
}

type Places = Readonly<Record<'FILE' | 'HERE' | 'OUT' | 'NEW' | 'LIBRARY', string>>

/** Paths of the command line do not count as words of the answer. */
const saidBy = (words: string, paths: readonly string[]): string =>
  [...paths].sort((a, b) => b.length - a.length).reduce((text, path) => text.replaceAll(path, ' '), words)

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

interface Outcome {
  readonly run: MeasuredRun
  readonly args: readonly string[]
  readonly places: Places
  readonly temporary: string
  /** Files of FILE that are changed or gone. */
  readonly lost: readonly string[]
}

/** What holds of no outcome whatever the check asks for. */
function alwaysWrong({ run, args, temporary, lost }: Outcome): string[] {
  const { code, stdout, stderr } = run
  const words = `${stdout}\n${stderr}`
  return [
    ...(lost.length > 0 ? [`changed or gone: ${lost.join(', ')}`] : []),
    ...(code !== null && EXIT_CODES.has(code) ? [] : [`exit ${code}`]),
    ...(code !== 0 && words.trim() === '' ? ['not a word'] : []),
    ...(/^\s+at .*:\d+:\d+\)?$/m.test(words) ? ['a stack trace'] : []),
    ...(args.includes('--json') && !isJson(stdout) ? ['no JSON document'] : []),
    ...(readdirSync(temporary).length > 0 ? [`left in TMPDIR: ${readdirSync(temporary).join(', ')}`] : []),
  ]
}

/** Keys of `right` that do not hold. */
function violations(right: Right, outcome: Outcome): string[] {
  const { run, args, places, temporary } = outcome
  const { seconds = DEFAULT_SECONDS, cpu = Infinity, mebibytes = DEFAULT_MEBIBYTES } = right
  const given = [...Object.values(places), ...args.filter((arg) => arg.includes('/'))]
  const words = `${run.stdout}\n${run.stderr}`
  const said = saidBy(words, given).toLowerCase()
  const wrong: string[] = []
  if (right.exit !== undefined && !right.exit.includes(run.code ?? -1)) wrong.push(`exit ${run.code}`)
  if (run.seconds > seconds) wrong.push(`${run.seconds.toFixed(1)} seconds`)
  if (run.cpu > cpu) wrong.push(`${run.cpu.toFixed(1)} seconds of computing`)
  if (run.mebibytes > mebibytes) wrong.push(`${run.mebibytes.toFixed(0)} mebibytes`)
  for (const mention of right.mentions ?? [])
    if (![mention].flat().some((word) => said.includes(word.toLowerCase()))) wrong.push(`no ${[mention].flat().join()}`)
  for (const word of right.not ?? [])
    if (word === 'TMP' ? words.includes(temporary) : words.includes(word)) wrong.push(`prints ${JSON.stringify(word)}`)
  for (const name of right.xml ?? []) {
    const file = join(places.NEW, name)
    const problem = existsSync(file) ? xmlProblem(readFileSync(file, 'utf8')) : 'is absent'
    if (problem !== null) wrong.push(`${name}: ${problem}`)
  }
  if (right.absent === true && existsSync(places.OUT)) wrong.push('OUT is there')
  return wrong
}

/** Runs checks in separate folders, which `remove` deletes. */
export class AttackBench {
  readonly #folder = mkdtempSync(join(tmpdir(), 'albertkit-attacks-'))
  readonly #made = new Map<string, Promise<string>>()
  #count = 0

  constructor(readonly attacks: string) {}

  /** The folder that make.mjs makes. */
  #generated(name: string): Promise<string> {
    const folder = join(this.#folder, 'made', name)
    const making =
      this.#made.get(name) ??
      promisify(execFile)(process.execPath, [join(this.attacks, 'make.mjs'), join(this.#folder, 'made'), name]).then(
        () => folder,
      )
    this.#made.set(name, making)
    return making
  }

  async #outcome({ file, generator, command, right }: AttackCheck): Promise<Outcome> {
    const own = join(this.#folder, String(++this.#count))
    const places: Places = {
      FILE: generator === undefined ? join(own, 'file') : await this.#generated(generator),
      HERE: this.attacks,
      OUT: join(own, 'out'),
      NEW: join(own, 'new'),
      LIBRARY: join(ROOT, 'dist/index.js'),
    }
    const temporary = join(own, 'tmp')
    for (const folder of [own, places.NEW, temporary]) mkdirSync(folder)
    if (file !== undefined) copyAttack(join(this.attacks, file), places.FILE)
    const before = stateOf(places.FILE)
    const args = command.map((arg) =>
      arg.replace(/^(FILE|HERE|OUT|NEW|LIBRARY)(?=\/|$)/, (name) => places[name as keyof Places]),
    )
    const patience = 10 + 3 * Math.max(...[right].flat().map(({ seconds = DEFAULT_SECONDS }) => seconds))
    const isScript = args[0] === 'node'
    const run = await runMeasured(isScript ? args.slice(1) : [BIN, ...args], {
      cwd: own,
      env: userEnv({ TMPDIR: temporary }),
      patience,
    })
    const after = stateOf(places.FILE)
    // A script changes the file that it is told to change.
    const lost = [...before].filter(([path, state]) => after.get(path) !== state && !(isScript && args.includes(path)))
    return { run, args, places, temporary, lost: lost.map(([path]) => path) }
  }

  /** What is wrong with the outcome of a check, for each thing that would be right; empty if one of them holds. */
  async try(check: AttackCheck): Promise<string> {
    const outcome = await this.#outcome(check)
    const always = alwaysWrong(outcome)
    const wrong = [check.right].flat().map((right) => [...always, ...violations(right, outcome)])
    if (wrong.some((keys) => keys.length === 0)) return ''
    const { code, seconds, cpu, mebibytes, stdout, stderr } = outcome.run
    return [
      check.why,
      `wrong: ${wrong.map((keys) => keys.join(', ')).join(' | ')}`,
      `exit ${code}, ${seconds.toFixed(1)} s, ${cpu.toFixed(1)} s of computing, ${mebibytes.toFixed(0)} MiB`,
      `${stderr}\n${stdout}`.slice(0, 2000),
    ].join('\n')
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** Lets at most `most` bodies run at a time. */
export function limited(most: number): <T>(body: () => Promise<T>) => Promise<T> {
  let running = 0
  const waiting: (() => void)[] = []
  return async (body) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      return await body()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
    }
  }
}
