import type { ErrorCode, ErrorKind } from './error-codes.js'

export type { ErrorKind } from './error-codes.js'

const EXIT_CODES: Readonly<Record<ErrorKind, number>> = {
  check: 1,
  usage: 2,
  malformed: 3,
  unsupported: 4,
  output: 5,
  environment: 6,
  interrupted: 130,
}

/** Location of an error; fields that are not known are absent. */
export interface ErrorPlace {
  /** Path of the file. */
  readonly file?: string
  /** Name of the tensor, as the file spells it. */
  readonly tensor?: string
  /** Offset in bytes from the start of `file`. */
  readonly offset?: number
  /** Configuration field, as the configuration file spells it. */
  readonly field?: string
}

export interface ErrorDetail extends ErrorPlace {
  /** Code from the closed list in error-codes.ts. */
  readonly code: ErrorCode
  /** Advice on what to do next, one sentence. */
  readonly hint?: string
  readonly cause?: unknown
}

/** The one error type of albertkit: a message, the location of the error, and advice on what to do next. */
export class AlbertkitError extends Error {
  override readonly name = 'AlbertkitError'
  readonly kind: ErrorKind
  /** Code from a closed list that is stable across versions. */
  readonly code: ErrorCode
  readonly place: ErrorPlace
  readonly hint: string | undefined

  constructor(kind: ErrorKind, message: string, detail: ErrorDetail) {
    const { code, hint, cause, ...place } = detail
    super(message, cause === undefined ? undefined : { cause })
    this.kind = kind
    this.code = code
    this.place = place
    this.hint = hint
  }

  get exitCode(): number {
    return EXIT_CODES[this.kind]
  }

  /** The same error with another message or location. */
  with({
    message = this.message,
    ...detail
  }: Partial<Omit<ErrorDetail, 'cause'>> & { readonly message?: string }): AlbertkitError {
    const hint = this.hint === undefined ? {} : { hint: this.hint }
    return new AlbertkitError(this.kind, message, {
      code: this.code,
      ...this.place,
      ...hint,
      cause: this.cause,
      ...detail,
    })
  }

  /** The error with `path` in place of `folder`: the path that the user gave, for a temporary folder. */
  withPath(folder: string, path: string): AlbertkitError {
    const { file } = this.place
    if (file?.startsWith(folder) !== true) return this
    return this.with({ message: this.message.replaceAll(folder, path), file: path + file.slice(folder.length) })
  }

  /** The error as the `--json` contract has it. */
  toJSON(): Record<string, unknown> {
    return {
      kind: this.kind,
      code: this.code,
      message: this.message,
      ...this.place,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
    }
  }
}

/** True for an error about what is absent outside the input: a package, a GPU, a browser. */
export const isEnvironment = (error: unknown): error is AlbertkitError =>
  error instanceof AlbertkitError && error.kind === 'environment'

/** Shorthands, so that call sites read as sentences. */
export const malformed = (message: string, detail: ErrorDetail): AlbertkitError =>
  new AlbertkitError('malformed', message, detail)
export const unsupported = (message: string, detail: ErrorDetail): AlbertkitError =>
  new AlbertkitError('unsupported', message, detail)
export const usage = (message: string, detail: ErrorDetail): AlbertkitError =>
  new AlbertkitError('usage', message, detail)
export const outputError = (message: string, detail: ErrorDetail): AlbertkitError =>
  new AlbertkitError('output', message, detail)
export const environment = (message: string, detail: ErrorDetail): AlbertkitError =>
  new AlbertkitError('environment', message, detail)

/**
 * The error of a path that the user named and that cannot be read.
 * @param what is read, for the message: `the text`
 */
export function unreadable(what: string, file: string, error: unknown, hint?: string): AlbertkitError {
  const { code, message } = error as NodeJS.ErrnoException
  const more = { file, cause: error, ...(hint === undefined ? {} : { hint }) }
  const codes = [code, ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code]
  return codes.some((known) => known === 'ENOENT' || known === 'ENOTDIR')
    ? usage(`${what} cannot be read: there is no such file`, { code: 'file-missing', ...more })
    : usage(`${what} cannot be read: ${message.split(',')[0] ?? ''}`, { code: 'file-unreadable', ...more })
}

/** The error of a directory that the user named and that does not exist. */
export const noDirectory = (directory: string): AlbertkitError =>
  usage('there is no such directory', { code: 'file-missing', file: directory })
