import { stripVTControlCharacters } from 'node:util'
import { ExitError } from '@oclif/core/errors'
import type { ErrorCode } from '../../base/error-codes.js'
import { AlbertkitError, type ErrorPlace } from '../../base/errors.js'
import { nearest } from '../../base/nearest.js'
import { documentationAddress, issueAddress } from '../../base/version.js'
import { escapeControl, escapeLines } from '../../base/escape.js'
import { toJsonText } from '../../base/json-text.js'
import { withFlags } from './option-flags.js'

/** Exit code of an unexpected error, a bug (EX_SOFTWARE of sysexits.h). */
export const UNEXPECTED_EXIT = 70

function unexpectedHint(): string {
  const address = issueAddress()
  const report = address === null ? 'please report it' : `please report it at ${address}`
  return `this is a bug in albertkit, ${report}, with the stack trace that ALBERTKIT_DEBUG=1 prints`
}

/** An error as users and pipelines see it. */
interface Failure {
  readonly kind: string
  readonly code: string
  readonly message: string
  readonly place: ErrorPlace
  readonly hint?: string | undefined
  readonly exitCode: number
}

/** Fields that oclif adds to its errors; a host may have its own copy of oclif, so `instanceof` is not enough. */
interface OclifError extends Error {
  readonly code?: string
  readonly oclif: { readonly exit?: number | false }
  readonly suggestions?: readonly string[]
}

const isOclifError = (error: unknown): error is OclifError =>
  error instanceof Error && 'oclif' in error && typeof error.oclif === 'object' && error.oclif !== null

/** True for an error about the command line: ours, or one of oclif's parser. */
export const isUsage = (error: unknown): boolean =>
  error instanceof AlbertkitError ? error.kind === 'usage' : isOclifError(error) && exitCodeOf(error) === undefined

/** Exit code, if oclif throws `error` only to end a command; else undefined. */
export function exitCodeOf(error: unknown): number | undefined {
  if (!isOclifError(error) || error.code !== 'EEXIT') return undefined
  return typeof error.oclif.exit === 'number' ? error.oclif.exit : 1
}

/** Error that ends the command with exit code `code`; neither albertkit nor a host with its own oclif prints it. */
export function exitError(code: number): Error {
  const error = new ExitError(code)
  error.skipOclifErrorHandling = true
  return error
}

/** True if one of `switches` is among the arguments, before any `--`. */
export function isGiven(argv: readonly string[], ...switches: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return (end === -1 ? argv : argv.slice(0, end)).some((argument) => switches.includes(argument))
}

/** Value of a flag among the arguments, before any `--`, the last one; undefined if it is not given. */
export function valueGiven(argv: readonly string[], flag: string): string | undefined {
  const end = argv.indexOf('--')
  const own = end === -1 ? argv : argv.slice(0, end)
  const at = own.findLastIndex((word) => word === flag || word.startsWith(`${flag}=`))
  if (at === -1) return undefined
  return own[at]?.startsWith(`${flag}=`) === true ? own[at].slice(flag.length + 1) : own[at + 1]
}

/**
 * Writes `text` and waits until it is flushed. A closed pipe (`| head -3`) is not an error: the command continues and
 * keeps its exit code.
 */
export function print(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve) => {
    stream.write(text, 'utf8', () => {
      resolve()
    })
  })
}

/** Arguments and flags that are missing, all in one line; null if the message is about something else. */
function missing(said: string): string | null {
  const flags = [...said.matchAll(/^\s*Missing required flag (\S+)$/gm)].map(([, name = '']) => `--${name}`)
  if (flags.length > 0) return `missing: ${flags.sort().join(' and ')}`
  if (!/^Missing \d+ required args?:/.test(said)) return null
  const names = [...said.matchAll(/^ *(\w+) {2,}\S/gm)].map(([, name = '']) => name.toUpperCase())
  return `missing: ${names.join(' and ')}`
}

/** Message of a usage error of oclif, without colours, headings and tabs. */
function usageMessage(message: string): string {
  const said = stripVTControlCharacters(message)
    .replace(/(\nSee more help with --help)+$/, '')
    .replace(/^The following errors? occurred:\s+/, '')
  // An invalid value of a flag: `Parsing --NAME`, and below it the message of our own or oclif's parser.
  const [, flag, reason] = /^Parsing (--\S+)\s+([^]*)$/.exec(said) ?? []
  if (flag === undefined || reason === undefined) return missing(said) ?? said
  return reason.startsWith(flag) ? reason : `${flag}: ${reason.charAt(0).toLowerCase()}${reason.slice(1)}`
}

/** `did you mean --to?`, if a mistyped command, flag or value is close to a valid one; else the help command. */
function usageHint(message: string, { help, names = [] }: ReportOptions): string {
  const value = /^Expected --\S+?=([^]*) to be one of: (.*)$/.exec(message)
  const [, word = ''] = /^(?:command|Nonexistent flags?:) (\S+?)(?: not found|,|$)/.exec(message) ?? []
  const meant = value === null ? nearest(word, names) : nearest(value[1] ?? '', (value[2] ?? '').split(', '))
  return meant === null ? `see \`${help}\`` : `did you mean ${meant}? see \`${help}\``
}

/** oclif has a class for each usage error; of a host's own copy the names are the same. */
const USAGE_CODES: Readonly<Record<string, ErrorCode>> = {
  RequiredArgsError: 'option-missing',
  FailedFlagValidationError: 'option-conflict',
}

const usageCode = (error: OclifError): ErrorCode => USAGE_CODES[error.constructor.name] ?? 'option-invalid'

function toFailure(error: unknown, options: ReportOptions): Failure {
  if (error instanceof AlbertkitError) {
    const { kind, code, place, exitCode } = error
    // oclif writes its own words around the message of an error that a flag's parser throws.
    const message = withFlags(kind === 'usage' ? usageMessage(error.message) : error.message)
    const hint = error.hint === undefined ? undefined : withFlags(error.hint)
    return { kind, code, message, place, hint, exitCode }
  }
  if (isOclifError(error) && typeof error.oclif.exit === 'number') {
    const message = usageMessage(error.message)
    const hint = usageHint(message, options)
    return { kind: 'usage', code: usageCode(error), message, place: {}, hint, exitCode: error.oclif.exit }
  }
  const message = error instanceof Error ? error.message : String(error)
  const [kind, code] = ['unexpected', 'unexpected']
  return { kind, code, message, place: {}, hint: unexpectedHint(), exitCode: UNEXPECTED_EXIT }
}

const LABELS: Readonly<Record<keyof ErrorPlace, string>> = {
  file: 'file:   ',
  tensor: 'tensor: ',
  offset: 'byte:   ',
  field: 'field:  ',
}

/** Where the documentation describes an error: a line for a terminal, whose user may follow it. */
const anchorOf = ({ kind, code }: Failure): string | null =>
  process.stderr.isTTY && kind !== 'unexpected' && kind !== 'interrupted'
    ? `more: ${documentationAddress()}/errors.md#${code}`
    : null

function toText(failure: Failure): string {
  const { kind, message, place, hint } = failure
  const lines = [`${kind === 'unexpected' ? 'unexpected error' : 'error'}: ${escapeLines(message)}`]
  for (const [key, label] of Object.entries(LABELS)) {
    const value = place[key as keyof ErrorPlace]
    if (value !== undefined) lines.push(`  ${label}${escapeControl(String(value))}`)
  }
  if (hint !== undefined) lines.push(`hint: ${escapeLines(hint)}`)
  const anchor = anchorOf(failure)
  if (anchor !== null) lines.push(anchor)
  return `${lines.join('\n')}\n`
}

const toDocument = ({ kind, code, message, place, hint }: Failure): unknown => ({
  ok: false,
  error: { kind, code, message, ...place, ...(hint === undefined ? {} : { hint }) },
})

export interface ReportOptions {
  /** One JSON document on stdout instead of lines on stderr. */
  readonly json: boolean
  /** Command line that shows the usage, named in the hint of usage errors. */
  readonly help: string
  /** Names that a mistyped word may mean: commands, flags as `--name`. */
  readonly names?: readonly string[]
}

/** Prints an error on the right stream and returns its exit code. Every error of every command ends here. */
export async function reportFailure(error: unknown, options: ReportOptions): Promise<number> {
  const failure = toFailure(error, options)
  if (options.json) await print(process.stdout, toJsonText(toDocument(failure)))
  else await print(process.stderr, toText(failure))
  if (process.env.ALBERTKIT_DEBUG && error instanceof Error)
    await print(process.stderr, `${escapeLines(error.stack ?? '', '')}\n`)
  return failure.exitCode
}
