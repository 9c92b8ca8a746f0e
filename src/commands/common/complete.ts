import { valuesOf } from './completion-values.js'

/** Command as the manifest describes it, by `albertkit:`-less id. */
export interface CommandShape {
  readonly summary?: string
  readonly hidden?: boolean
  readonly args: Readonly<Record<string, { readonly name: string; readonly options?: readonly string[] }>>
  readonly flags: Readonly<Record<string, FlagShape>>
}

export interface FlagShape {
  readonly name: string
  readonly type: 'option' | 'boolean'
  readonly char?: string
  readonly description?: string
  readonly summary?: string
  readonly helpValue?: string
  readonly hidden?: boolean
  readonly multiple?: boolean
  readonly allowNo?: boolean
  readonly options?: readonly string[]
}

/** What may be in the place of the last word. */
export interface Completion {
  readonly words: readonly Candidate[]
  /** Files or folders that the shell adds. */
  readonly paths: 'files' | 'folders' | 'none'
}

export interface Candidate {
  readonly value: string
  readonly description: string
}

type Commands = Readonly<Record<string, CommandShape>>

const FILE_VALUES = /^(FILE|PATH|MODEL|CKPT|CONFIG|TEXT\|FILE)$/

const NOTHING: Completion = { words: [], paths: 'none' }

const firstSentence = (text = ''): string => (text.split(/\n|; /)[0] ?? '').replace(/\.$/, '')

const candidates = (values: readonly string[]): Candidate[] => values.map((value) => ({ value, description: '' }))

/**
 * Values in the place of a word. Of lists, as `--preset a,b`, the last part is completed, without those before it; of
 * `--to onnx:f32,int8` too, and element types show up after the colon.
 */
function fitting(values: readonly string[], word: string, isList: boolean): Candidate[] {
  const colon = word.indexOf(':') + 1
  const deep = values.some((value) => value.includes(':'))
  const listed = isList || (deep && colon > 0)
  const comma = listed ? Math.max(colon, word.lastIndexOf(',') + 1) : 0
  const taken = new Set(word.slice(deep ? colon : 0, comma).split(','))
  const scope = deep ? word.slice(0, colon) : ''
  const own = values
    .filter((value) => value.startsWith(scope) && (scope !== '' || !value.includes(':')))
    .map((value) => value.slice(scope.length))
  const before = word.slice(0, comma)
  return candidates(own.filter((value) => value !== '' && !taken.has(value)).map((value) => before + value))
}

function completeValue(id: string, flag: FlagShape, word: string): Completion {
  const { helpValue = '' } = flag
  const values = flag.options ?? []
  const known = valuesOf(id, flag.name) ?? values
  if (known.length > 0) return { words: fitting(known, word, helpValue.endsWith(',…')), paths: 'none' }
  if (helpValue === 'DIR') return { words: [], paths: 'folders' }
  return FILE_VALUES.test(helpValue) ? { words: [], paths: 'files' } : NOTHING
}

function completeFlags(flags: readonly FlagShape[], given: ReadonlySet<string>): Completion {
  const open = flags.filter(({ name, hidden, multiple }) => hidden !== true && (multiple === true || !given.has(name)))
  const words = open.flatMap(({ name, allowNo, summary, description }) => {
    const text = firstSentence(summary ?? description)
    const own = { value: `--${name}`, description: text }
    return allowNo === true ? [own, { value: `--no-${name}`, description: text }] : [own]
  })
  return { words: [...words, { value: '--help', description: 'show what the command does' }], paths: 'none' }
}

/** Names of commands and topics that may come next. */
function completeCommands(commands: Commands, before: readonly string[]): Completion {
  const words = new Map<string, string>()
  for (const [id, { summary, hidden }] of Object.entries(commands)) {
    const parts = id.split(':')
    if (hidden === true || !before.every((word, i) => parts[i] === word) || parts.length <= before.length) continue
    const isWhole = parts.length === before.length + 1
    words.set(parts[before.length]!, isWhole ? firstSentence(summary) : 'more commands')
  }
  if (before.length === 0) words.set('help', 'describe a command')
  return { words: [...words].map(([value, description]) => ({ value, description })), paths: 'none' }
}

/** The longest command that the words begin with; null if there is none. */
function commandAt(commands: Commands, words: readonly string[]): { id: string; length: number } | null {
  for (let length = Math.min(words.length, 3); length > 0; length--) {
    const id = words.slice(0, length).join(':')
    if (Object.hasOwn(commands, id)) return { id, length }
  }
  return null
}

/** Words of a command before the one that is completed. */
interface Line {
  readonly given: ReadonlySet<string>
  /** Number of arguments that are no flags. */
  readonly place: number
  /** Flag whose value is completed; null if it is another word. */
  readonly open: FlagShape | null
  /** True after `--`. */
  readonly ended: boolean
}

function readLine(flags: readonly FlagShape[], words: readonly string[]): Line {
  const given = new Set<string>()
  let [place, ended, open] = [0, false, null as FlagShape | null]
  for (const word of words) {
    if (open !== null) {
      open = null
      continue
    }
    if (ended || !word.startsWith('-') || word === '-') place++
    else if (word === '--') ended = true
    else {
      const [name = ''] = word.split('=')
      const flag = flags.find((one) => [`--${one.name}`, `--no-${one.name}`, `-${one.char ?? '-'}`].includes(name))
      if (flag === undefined) continue
      given.add(flag.name)
      if (flag.type === 'option' && !word.includes('=')) open = flag
    }
  }
  return { given, place, open, ended }
}

/**
 * Completes a command line.
 * @param commands from the manifest, by id without topic of the package
 * @param words after the program's name; the last one is completed and may be empty
 */
export function complete(commands: Commands, words: readonly string[]): Completion {
  const before = words.slice(0, -1)
  const word = words.at(-1) ?? ''
  const subject = before[0] === 'help' ? before.slice(1) : before
  const found = commandAt(commands, subject)
  if (found === null || before[0] === 'help') return completeCommands(commands, subject)
  const { flags: byName, args } = commands[found.id]!
  const flags = Object.values(byName)
  const { given, place, open, ended } = readLine(flags, before.slice(found.length))
  if (open !== null) return completeValue(found.id, open, word)
  const [, name, value] = /^--([^=]+)=(.*)$/s.exec(word) ?? []
  const inline = ended || name === undefined ? undefined : flags.find((flag) => flag.name === name)
  if (inline !== undefined) {
    const { words: all, paths } = completeValue(found.id, inline, value ?? '')
    return { words: all.map((one) => ({ ...one, value: `--${name}=${one.value}` })), paths }
  }
  if (!ended && word.startsWith('-')) return completeFlags(flags, given)
  const arg = Object.values(args)[place]
  if (arg === undefined) return NOTHING
  const values = valuesOf(found.id, arg.name) ?? arg.options ?? []
  // A preset may also be the path of a configuration.
  return { words: fitting(values, word, false), paths: arg.options === undefined ? 'files' : 'none' }
}
