import { withFlags } from './option-flags.js'
import { once } from 'node:events'
import { Command } from '@oclif/core/command'
import * as Flags from '@oclif/core/flags'
import { toConfiguredId } from '@oclif/core/util/ids'
import { AlbertkitError } from '../../base/errors.js'
import { listenForInterrupts } from '../../base/interrupt.js'
import { escapeControl, escapeLines } from '../../base/escape.js'
import { toJsonText } from '../../base/json-text.js'
import { exitCodeOf, exitError, print, reportFailure, wantsJson } from './failure.js'
import { withSample } from './sample.js'

/** To the start of the line, and the rest of it away. */
const CLEAR_LINE = '\r\u001b[K'

/**
 * What every command has in common: `--json`, errors that say what is wrong and where, exit codes, and Ctrl-C.
 * stdout carries the result and nothing else; talk goes to stderr.
 *
 * oclif's own `enableJsonFlag` stays off: it prints errors in a form of its own and loses their exit codes.
 */
export abstract class AlbertkitCommand extends Command {
  static override baseFlags = {
    json: Flags.boolean({ description: 'print the result, or the error, as one JSON document', helpGroup: 'GLOBAL' }),
    wide: Flags.boolean({ description: 'do not fit tables to the terminal', helpGroup: 'GLOBAL' }),
  }

  #stopListening: (() => void) | undefined
  #progressShown = false
  #readerGone: boolean | undefined
  #tellGone: () => void = () => undefined

  abstract override run(): Promise<void>

  override jsonEnabled(): boolean {
    return wantsJson(this.argv)
  }

  /**
   * Ends a command: prints its report for a machine or for a person. A check that said no (false) ends it with exit
   * code 1, a report about something that is wrong with the code given.
   */
  protected async finish(report: object, text: () => string, outcome: boolean | number = true): Promise<void> {
    this.#clearProgress()
    await print(process.stdout, this.jsonEnabled() ? toJsonText(report) : `${text().replace(/\n+$/, '')}\n`)
    const exitCode = typeof outcome === 'number' ? outcome : outcome ? 0 : 1
    if (exitCode !== 0) throw exitError(exitCode)
  }

  /**
   * A line of a result that is written while it is computed; waits while the reader is slow. False where the reader has
   * gone away (`| head -3`): then nothing more need be computed.
   */
  protected async put(line: string): Promise<boolean> {
    this.#clearProgress()
    const { stdout } = process
    this.#listen()
    if (this.#readerGone === true) return false
    // `once` ends with an error event too, and leaves no listener behind.
    if (!stdout.write(`${line}\n`)) await once(stdout, 'drain').catch(() => undefined)
    return true
  }

  /** Settled when a write says that the reader has gone away; nothing tells sooner. */
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

  /** Ends a command whose result is out already. */
  protected end(exitCode: number): Promise<never> {
    return Promise.reject(exitError(exitCode))
  }

  /** Columns that a table may take: those of the terminal, no limit in a pipe, a file, or with --wide. */
  protected get width(): number {
    return process.stdout.isTTY && !this.argv.includes('--wide') ? process.stdout.columns || 80 : Infinity
  }

  /** A line for the person who is waiting. */
  protected talk(line: string): void {
    this.#clearProgress()
    process.stderr.write(`${escapeLines(line)}\n`)
  }

  /** Says each note on the model, and keeps it for the report. */
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

  /** What is being done just now: one line that changes on a terminal, nothing in a log. */
  protected progress(step: string): void {
    if (!process.stderr.isTTY) return
    const line = escapeControl(step).slice(0, (process.stderr.columns || 80) - 1)
    process.stderr.write(this.#progressShown ? `${CLEAR_LINE}${line}` : line)
    this.#progressShown = true
  }

  /** `talk` and `progress`, for what works outside the command. */
  protected get speaker(): { talk: (line: string) => void; progress: (step: string) => void } {
    return {
      talk: (line) => {
        this.talk(line)
      },
      progress: (step) => {
        this.progress(step)
      },
    }
  }

  override warn(input: Error | string): Error | string {
    this.talk(`warning: ${input instanceof Error ? input.message : input}`)
    return input
  }

  protected override async init(): Promise<void> {
    await super.init()
    this.argv = withSample(this.argv)
    this.#stopListening = listenForInterrupts({
      report: async (signal) => {
        await this.#report(new AlbertkitError('interrupted', `interrupted (${signal})`))
      },
      waiting: () => {
        this.talk('finishing what is under way; Ctrl-C again ends at once')
      },
    })
  }

  protected override async catch(error: unknown): Promise<never> {
    throw exitError(exitCodeOf(error) ?? (await this.#report(error)))
  }

  protected override async finally(error: Error | undefined): Promise<void> {
    this.#stopListening?.()
    await super.finally(error)
  }

  async #report(error: unknown): Promise<number> {
    this.#clearProgress()
    const id = this.id === undefined ? '' : ` ${toConfiguredId(this.id, this.config)}`
    const names = Object.keys(this.ctor.flags).map((name) => `--${name}`)
    return reportFailure(error, { json: this.jsonEnabled(), help: `${this.config.bin}${id} --help`, names })
  }

  #clearProgress(): void {
    if (this.#progressShown) process.stderr.write(CLEAR_LINE)
    this.#progressShown = false
  }
}
