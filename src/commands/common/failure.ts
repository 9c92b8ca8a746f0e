import { stripVTControlCharacters } from 'node:util'
import { ExitError } from '@oclif/core/errors'
import { AlbertkitError, type ErrorPlace } from '../../base/errors.js'
import { escapeControl, escapeLines } from '../../base/escape.js'
import { toJsonText } from '../../base/json-text.js'

/** Exit code of an error that nobody foresaw (EX_SOFTWARE of sysexits.h). */
export const UNEXPECTED_EXIT = 70

const UNEXPECTED_HINT = 'this is a bug in albertkit, please report it; ALBERTKIT_DEBUG=1 prints the stack trace'

/** An error as a person and a pipeline get to see it. */
interface Failure {
  readonly kind: string
  readonly message: string
  readonly place: ErrorPlace
  readonly hint?: string | undefined
  readonly exitCode: number
}

/** What oclif adds to the errors it throws; they may come from a host's own copy of it, so `instanceof` won't do. */
interface OclifError extends Error {
  readonly code?: string
  readonly oclif: { readonly exit?: number | false }
  readonly suggestions?: readonly string[]
}

const isOclifError = (error: unknown): error is OclifError =>
  error instanceof Error && 'oclif' in error && typeof error.oclif === 'object' && error.oclif !== null

/** The exit code, if the error is no error but the way oclif ends a command. */
export function exitCodeOf(error: unknown): number | undefined {
  if (!isOclifError(error) || error.code !== 'EEXIT') return undefined
  return typeof error.oclif.exit === 'number' ? error.oclif.exit : 1
}

/** Ends the command with `code`, nothing more to be printed: neither here nor by a host with another oclif. */
export function exitError(code: number): Error {
  const error = new ExitError(code)
  error.skipOclifErrorHandling = true
  return error
}

/** True if a machine reads the output: `--json` stands among the arguments, before any `--`. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return (end === -1 ? argv : argv.slice(0, end)).includes('--json')
}

/**
 * Writes `text` and waits until it is out. A reader that has gone away (`| head -3`) is no failure: the work goes on,
 * and its exit code stays what it is.
 */
export function print(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve) => {
    stream.write(text, 'utf8', () => {
      resolve()
    })
  })
}

/** oclif's words for a usage error, without the colours, lines and tabs that it lays them out with. */
function usageMessage(message: string): string {
  const said = stripVTControlCharacters(message)
    .replace(/(\nSee more help with --help)+$/, '')
    .replace(/^The following errors? occurred:\s+/, '')
  // A flag that was given a wrong value: `Parsing --NAME`, and below it what our own or oclif's parser says.
  const [, flag, reason] = /^Parsing (--\S+)\s+([^]*)$/.exec(said) ?? []
  if (flag === undefined || reason === undefined) return said
  return reason.startsWith(flag) ? reason : `${flag}: ${reason.charAt(0).toLowerCase()}${reason.slice(1)}`
}

function toFailure(error: unknown, help: string): Failure {
  if (error instanceof AlbertkitError) {
    const { kind, place, hint, exitCode } = error
    // oclif writes its own words around the message of an error that a flag's parser throws.
    return { kind, message: kind === 'usage' ? usageMessage(error.message) : error.message, place, hint, exitCode }
  }
  if (isOclifError(error) && typeof error.oclif.exit === 'number') {
    const message = usageMessage(error.message)
    const hint = error.suggestions?.length ? `try ${error.suggestions.join(' or ')}` : `see \`${help}\``
    return { kind: 'usage', message, place: {}, hint, exitCode: error.oclif.exit }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { kind: 'unexpected', message, place: {}, hint: UNEXPECTED_HINT, exitCode: UNEXPECTED_EXIT }
}

const LABELS: Readonly<Record<keyof ErrorPlace, string>> = {
  file: 'file:   ',
  tensor: 'tensor: ',
  offset: 'byte:   ',
  field: 'field:  ',
}

function toText({ kind, message, place, hint }: Failure): string {
  const lines = [`${kind === 'unexpected' ? 'unexpected error' : 'error'}: ${escapeLines(message)}`]
  for (const [key, label] of Object.entries(LABELS)) {
    const value = place[key as keyof ErrorPlace]
    if (value !== undefined) lines.push(`  ${label}${escapeControl(String(value))}`)
  }
  if (hint !== undefined) lines.push(`hint: ${escapeLines(hint)}`)
  return `${lines.join('\n')}\n`
}

const toDocument = ({ kind, message, place, hint }: Failure): unknown => ({
  ok: false,
  error: { kind, message, ...place, ...(hint === undefined ? {} : { hint }) },
})

export interface ReportOptions {
  /** One JSON document on stdout instead of lines on stderr. */
  readonly json: boolean
  /** The command line that explains the usage, for errors in it. */
  readonly help: string
}

/** Says on the right stream what went wrong, and gives the exit code. Every error of every command ends here. */
export async function reportFailure(error: unknown, { json, help }: ReportOptions): Promise<number> {
  const failure = toFailure(error, help)
  if (json) await print(process.stdout, toJsonText(toDocument(failure)))
  else await print(process.stderr, toText(failure))
  if (process.env.ALBERTKIT_DEBUG && error instanceof Error)
    await print(process.stderr, `${escapeLines(error.stack ?? '', '')}\n`)
  return failure.exitCode
}
