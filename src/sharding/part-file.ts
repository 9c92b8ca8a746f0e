import { existsSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { OutputFile, writing } from '../files/output-file.js'
import { refuseExisting } from '../files/atomic-file.js'
import { onInterrupt } from '../base/interrupt.js'
import * as z from '../vendor/zod.js'
import { difference, taskSchema, type ShardTask } from './manifest.js'

const size = z.int().check(z.gte(0))

/** Progress of a file of answers, written beside it after every window of lines. */
const stateSchema = z.object({
  format: z.literal('albertkit-part'),
  version: z.literal(1),
  task: taskSchema,
  /** Number of bytes of complete answers. */
  bytes: size,
  /** Next line of the input to answer. */
  next: z.object({ line: z.int().check(z.gte(1)), offset: size }),
  errors: z.object({ file: z.nullable(z.string()), count: size, bytes: size }),
})

export type PartState = Omit<z.Infer<typeof stateSchema>, 'format' | 'version' | 'task' | 'bytes'>

function readState(path: string): z.Infer<typeof stateSchema> | null {
  try {
    const parsed = stateSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')))
    return parsed.success ? parsed.data : null
  } catch {
    return null
  }
}

const holds = (path: string, bytes: number): boolean => (statSync(path, { throwIfNoEntry: false })?.size ?? -1) >= bytes

/**
 * A file of lines that appears when it is complete. Until then its lines are in `FILE.part` and its progress in
 * `FILE.part.json`: the same request resumes at the line at which it was interrupted, any other request starts again.
 */
export class PartFile {
  readonly #part: string
  readonly #state: string
  readonly #file: OutputFile
  readonly #before: number
  readonly #forget: () => void
  #lines: string[] = []
  #open = true
  #worthKeeping: boolean
  /** State from which reading resumes; null if it starts at the first line. */
  readonly resumed: PartState | null

  /**
   * @param task task that the file answers; null if it cannot be identified, e.g. for standard input
   * @param fits true if the rest of a stored state matches the current request
   * @param anew called if nothing is resumed, before anything is written or removed; may refuse by throwing
   * @throws AlbertkitError `output` if `path` exists and `force` is not set
   */
  constructor(
    readonly path: string,
    readonly task: ShardTask | null,
    {
      force,
      fits,
      anew,
    }: { readonly force: boolean; readonly fits: (state: PartState) => boolean; readonly anew?: () => void },
  ) {
    refuseExisting(path, force)
    this.#part = `${path}.part`
    this.#state = `${path}.part.json`
    const state = task === null ? null : readState(this.#state)
    const same =
      state !== null && difference(state.task, task!) === null && holds(this.#part, state.bytes) && fits(state)
    if (!same) anew?.()
    this.resumed = same ? state : null
    this.#before = same ? state.bytes : 0
    this.#worthKeeping = same
    if (same)
      writing(this.#part, () => {
        truncateSync(this.#part, state.bytes)
      })
    else rmSync(this.#state, { force: true })
    this.#file = new OutputFile(this.#part, same ? 'a' : 'w')
    this.#forget = onInterrupt(() => {
      this.#close()
    })
  }

  put(line: string): void {
    this.#lines.push(line)
  }

  #flush(): void {
    if (this.#lines.length > 0) this.#file.write(Buffer.from(`${this.#lines.join('\n')}\n`))
    this.#lines = []
  }

  /**
   * Records the task before the first line, so that a process that is killed early leaves a part file that the same
   * request can resume.
   */
  begin(state: PartState): void {
    this.#say(state)
  }

  /** Records that every line before `state.next` is answered. */
  checkpoint(state: PartState): void {
    this.#flush()
    this.#say(state)
    this.#worthKeeping = this.task !== null
  }

  #say(state: PartState): void {
    if (this.task === null) return
    const whole = {
      format: 'albertkit-part',
      version: 1,
      task: this.task,
      bytes: this.#before + this.#file.bytes,
      ...state,
    }
    writing(this.#state, () => {
      writeFileSync(`${this.#state}.new`, `${JSON.stringify(whole)}\n`)
      renameSync(`${this.#state}.new`, this.#state)
    })
  }

  /** @throws AlbertkitError `output` */
  finish(): void {
    this.#close()
    writing(this.path, () => {
      renameSync(this.#part, this.path)
    })
    this.#worthKeeping = false
    rmSync(this.#state, { force: true })
  }

  /** Ends an incomplete run; keeps the part file if another run can resume it. */
  discard(): void {
    this.#close()
    if (this.#worthKeeping) return
    rmSync(this.#part, { force: true })
    if (existsSync(this.#state)) rmSync(this.#state, { force: true })
  }

  #close(): void {
    if (!this.#open) return
    this.#open = false
    this.#forget()
    this.#flush()
    this.#file.close()
  }
}
