import { notesWithFlags, setFlagScope, typedFlags, withFlags } from './option-flags.js'
import { once } from 'node:events'
import { Command } from '@oclif/core/command'
import * as Flags from '@oclif/core/flags'
import { toConfiguredId } from '@oclif/core/util/ids'
import type { ProgressStep } from '../../base/abort.js'
import { AlbertkitError } from '../../base/errors.js'
import { onTransfer } from '../../base/transfer.js'
import { beginSources } from '../../base/sources.js'
import { isInterrupted, listenForInterrupts, noticeSignals } from '../../base/interrupt.js'
import { escapeControl, escapeLines, printable } from '../../base/escape.js'
import { toJsonText } from '../../base/json-text.js'
import { stepText, transferText } from '../../report/progress.js'
import { setTerminalWidth } from '../../report/terminal-width.js'
import { exitCodeOf, exitError, isGiven, isUsage, print, reportFailure, valueGiven } from './failure.js'
import { withSample } from './sample.js'
import { settingArguments, type FlagShapes, type Setting } from './settings.js'
import { settle } from './settle.js'
import type { Talk } from './text-talk.js'

/** Time between two looks for signals while lines are printed. */
const NOTICE_MS = 40

/** Control sequence: carriage return, then erase to the end of the line. */
const CLEAR_LINE = '\r\u001b[K'

/** True if a stream is a terminal whose user has not switched colours off (no-color.org). */
const takesColour = (stream: NodeJS.WriteStream): boolean =>
  stream.isTTY && (process.env.NO_COLOR ?? '') === '' && process.env.TERM !== 'dumb'

/**
 * Base of every command: `--json`, error messages, exit codes and Ctrl-C. stdout carries the result and nothing else;
 * messages go to stderr.
 *
 * oclif's own `enableJsonFlag` stays off: it prints errors in its own format and loses their exit codes.
 */
export abstract class AlbertkitCommand extends Command {
  static override baseFlags = {
    json: Flags.boolean({ description: 'print the result, or the error, as one JSON document', helpGroup: 'GLOBAL' }),
    'output-format': Flags.string({
      description: 'print the tables alone, as Markdown or the main one as CSV; json: as --json',
      options: ['table', 'markdown', 'csv', 'json'],
      helpGroup: 'GLOBAL',
      helpValue: 'FORMAT',
    }),
    wide: Flags.boolean({ description: 'do not fit tables to the terminal', helpGroup: 'GLOBAL' }),
    quiet: Flags.boolean({
      char: 'q',
      description: 'print results and errors only: no notes, no progress',
      helpGroup: 'GLOBAL',
      exclusive: ['verbose'],
    }),
    offline: Flags.boolean({
      description: 'read models named hf:ORG/NAME or https://… from the caches alone, as with HF_HUB_OFFLINE=1',
      helpGroup: 'GLOBAL',
    }),
    verbose: Flags.boolean({ description: 'print each step on stderr, with the seconds', helpGroup: 'GLOBAL' }),
    'config-file': Flags.string({
      description: 'configuration with values of flags; default: the nearest albertkit.config.*; none: no file',
      helpGroup: 'GLOBAL',
      helpValue: 'FILE',
    }),
  }

  /** False if the report only describes what the command wrote or checked: `--quiet` then omits it after a success. */
  protected readonly reportIsResult: boolean = true

  /** True if a signal is how the command ends: what it printed is its document. */
  protected readonly endsBySignal: boolean = false

  #settings: readonly Setting[] = []
  #stopListening: (() => void) | undefined
  #progressShown = false
  #readerGone: boolean | undefined
  #noticed = performance.now()
  #tellGone: () => void = () => undefined

  abstract override run(): Promise<void>

  override jsonEnabled(): boolean {
    return this.#given('--json') || this.#format === 'json'
  }

  /**
   * Ends a command: prints its report as JSON or as text. A failed check (`outcome` false) ends it with exit code 1, a
   * number with that exit code.
   */
  protected async finish(report: object, text: () => string, outcome: boolean | number = true): Promise<void> {
    await noticeSignals()
    this.#clearProgress()
    const exitCode = typeof outcome === 'number' ? outcome : outcome ? 0 : 1
    if (this.jsonEnabled()) await print(process.stdout, toJsonText(report))
    else if (exitCode !== 0 || this.reportIsResult || !this.#given('-q', '--quiet')) {
      const said = printable((await this.#textOf(text)).replace(/\n+$/, ''))
      const lines =
        this.width === Infinity ? said : (await import('../../report/hanging.js')).hangLines(said, this.width)
      const shown = takesColour(process.stdout) ? (await import('../../report/paint.js')).paint(lines) : lines
      await print(process.stdout, `${shown}\n`)
    }
    if (exitCode !== 0) throw exitError(exitCode)
  }

  /** The text of a report, or its tables in the format that is asked for. */
  async #textOf(text: () => string): Promise<string> {
    const format = this.#format
    if (format !== 'markdown' && format !== 'csv') return text()
    const { capturedTables } = await import('../../report/capture.js')
    const { tableCsv, tablesMarkdown } = await import('../../report/tables.js')
    const tables = capturedTables(text, format)
    if (tables[0] === undefined) {
      this.#complain(`note: this result has no table that could be printed as ${format}`)
      return text()
    }
    return format === 'csv' ? tableCsv(tables[0]) : tablesMarkdown(tables.map(notesWithFlags))
  }

  /** Value of `--output-format`; the last one counts. */
  get #format(): string | undefined {
    return valueGiven(this.argv, '--output-format')
  }

  /**
   * Writes a line of a result that is printed while it is computed; waits if the reader is slow. False if the reader
   * has closed the pipe (`| head -3`): the command can then stop.
   */
  protected async put(line: string): Promise<boolean> {
    this.#clearProgress()
    const { stdout } = process
    this.#listen()
    if (this.#readerGone === true) return false
    // `once` ends with an error event too, and leaves no listener behind.
    if (!stdout.write(`${printable(line)}\n`)) await once(stdout, 'drain').catch(() => undefined)
    // Lines may come without a pause, and be written at once.
    if (performance.now() - this.#noticed > NOTICE_MS) {
      await noticeSignals()
      this.#noticed = performance.now()
    }
    return true
  }

  /** Resolves when a write fails because the reader has closed the pipe; it cannot be detected sooner. */
  protected get readerGone(): Promise<void> {
    this.#listen()
    return this.#gone
  }

  readonly #gone = new Promise<void>((resolve) => (this.#tellGone = resolve))

  #listen(): void {
    if (this.#readerGone !== undefined) return
    this.#readerGone = false
    // A closed pipe is an error event, after which the stream looks as before.
    process.stdout.on('error', () => {
      this.#readerGone = true
      this.#tellGone()
    })
  }

  /** Ends a command whose result is printed already. */
  protected end(exitCode: number): Promise<never> {
    return Promise.reject(exitError(exitCode))
  }

  /** Largest width of a table: the columns of the terminal; Infinity for a pipe, a file, or with --wide. */
  protected get width(): number {
    return process.stdout.isTTY && !this.#given('--wide') ? process.stdout.columns || 80 : Infinity
  }

  /** Prints a message on stderr, unless the user asked for quiet. */
  protected talk(line: string): void {
    if (!this.#given('-q', '--quiet')) this.#complain(line)
  }

  /** Prints a message on stderr that even a quiet command prints. */
  #complain(line: string): void {
    this.#clearProgress()
    process.stderr.write(`${escapeLines(line)}\n`)
  }

  /** Prints each note on the model, and collects the notes for the report. */
  protected noteTaker(): { readonly taken: readonly string[]; readonly onNote: (note: string) => void } {
    const taken: string[] = []
    return {
      taken,
      onNote: (note) => {
        taken.push(note)
        this.talk(`note: ${withFlags(note)}`)
      },
    }
  }

  /** Shows the current step: one line that is overwritten on a terminal, nothing in a log unless it is verbose. */
  protected progress(step: string | ProgressStep): void {
    const text = withFlags(typeof step === 'string' ? step : stepText(step))
    if (this.#given('--verbose')) {
      const seconds = performance.now() / 1000
      process.stderr.write(`[${seconds.toFixed(2).padStart(7)} s] ${escapeControl(text)}\n`)
      return
    }
    if (!process.stderr.isTTY || this.#given('-q', '--quiet')) return
    const line = escapeControl(text).slice(0, (process.stderr.columns || 80) - 1)
    process.stderr.write(this.#progressShown ? `${CLEAR_LINE}${line}` : line)
    this.#progressShown = true
  }

  /** `talk`, `complain` and `progress`, for functions outside the command. */
  protected get speaker(): Talk {
    return {
      complain: (line) => {
        this.#complain(line)
      },
      talk: (line) => {
        this.talk(line)
      },
      progress: (step) => {
        this.progress(step)
      },
    }
  }

  override warn(input: Error | string): Error | string {
    this.#complain(`warning: ${input instanceof Error ? input.message : input}`)
    return input
  }

  protected override async init(): Promise<void> {
    await super.init()
    beginSources()
    await this.#settle()
    // Threads and processes that the command starts inherit it.
    if (this.#given('--offline')) process.env.HF_HUB_OFFLINE = '1'
    // Before any thread starts: see runtime/onnx/load.ts.
    process.env.ORT_DISABLE_TELEMETRY ??= '1'
    this.argv = withSample(this.argv)
    setTerminalWidth(this.width)
    if (process.stderr.isTTY && !this.#given('--verbose'))
      onTransfer((transfer) => {
        this.progress(transferText(transfer))
      })
    setFlagScope({ own: typedFlags(this.ctor.flags), commandWith: (flag) => this.#commandWith(flag) })
    this.#stopListening = listenForInterrupts({
      report: async (signal) => {
        await this.#report(new AlbertkitError('interrupted', `interrupted (${signal})`, { code: 'interrupted' }))
      },
      waiting: () => {
        this.#complain('finishing the current step; press Ctrl-C again to stop at once')
      },
    })
  }

  protected override async catch(error: unknown): Promise<never> {
    // The handler of the signal reports the interruption and ends the process.
    if (isInterrupted()) await new Promise(() => undefined)
    throw exitError(exitCodeOf(error) ?? (await this.#report(error)))
  }

  protected override async finally(error: Error | undefined): Promise<void> {
    this.#stopListening?.()
    await super.finally(error)
  }

  /** Adds the flags that the environment and the configuration file give to those that are typed. */
  async #settle(): Promise<void> {
    const shapes: FlagShapes = { ...this.ctor.baseFlags, ...this.ctor.flags }
    this.#settings = await settle(this.#name, shapes, this.argv)
    this.argv = [...settingArguments(this.#settings, shapes), ...this.argv]
    if (this.#given('--verbose')) this.#showSettings()
  }

  /** Says where flags that are not typed come from. */
  #showSettings(): void {
    for (const { flag, from, values } of this.#settings)
      this.#complain(`note: --${flag} ${values.join(' ')} comes from ${from}`)
  }

  /** Name of the command as it is typed, also in a host. */
  get #name(): string {
    return (this.id ?? '').replace(/^albertkit:/, '').replaceAll(':', ' ')
  }

  /** A command that has `flag`, those that read a model first. */
  #commandWith(flag: string): string | null {
    // In a host there are commands of others.
    const commands = this.config.commands.filter(
      ({ flags, pluginName }) => pluginName === this.ctor.plugin?.name && typedFlags(flags).has(flag),
    )
    const named = (pattern: RegExp) => commands.find(({ id }) => pattern.test(id))
    const first = named(/(^|:)(convert|verify)$/) ?? named(/(^|:)predict$/) ?? commands[0]
    return first === undefined ? null : toConfiguredId(first.id, this.config)
  }

  async #report(error: unknown): Promise<number> {
    this.#clearProgress()
    const id = this.id === undefined ? '' : ` ${toConfiguredId(this.id, this.config)}`
    if (error instanceof Error && isUsage(error) && !this.#given('--verbose')) this.#showSettings()
    const names = Object.keys(this.ctor.flags).map((name) => `--${name}`)
    const json = this.jsonEnabled() && !(this.endsBySignal && isInterrupted())
    return reportFailure(error, { json, help: `${this.config.bin}${id} --help`, names })
  }

  /** True if one of these switches is among the arguments, before any `--`. */
  #given(...switches: readonly string[]): boolean {
    return isGiven(this.argv, ...switches)
  }

  #clearProgress(): void {
    if (this.#progressShown) process.stderr.write(CLEAR_LINE)
    this.#progressShown = false
  }
}
