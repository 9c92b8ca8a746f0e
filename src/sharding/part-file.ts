import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { utf8Bytes } from '../base/bytes.js'
import { cutFile, OutputFile, tidy, writing } from '../files/output-file.js'
import { refuseExisting } from '../files/atomic-file.js'
import { writes } from '../files/write-port.js'
import { onInterrupt } from '../base/interrupt.js'
import { refuseSources } from '../base/sources.js'
import * as z from '../vendor/zod.js'
import { difference, taskSchema, type ShardTask } from './manifest.js'

const size = z.int().check(z.gte(0))

/** Progress of a file of answers, written next to it after every window of lines. */
const stateSchema = z.object({
  format: z.literal('albertkit-part'),
  version: z.literal(1),
  task: taskSchema,
  /** Number of bytes of complete answers. */
  bytes: size,
  /** Next line of the input to answer. */
  next: z.object({ line: z.int().check(z.gte(1)), offset: size }),
  /** Lines of the output so far. */
  answered: size,
  errors: z.object({ file: z.nullable(z.string()), count: size, bytes: size }),
  /** Present if all lines are answered, and only names are to be changed: the absolute path of the file of errors. */
  whole: z.optional(z.object({ errors: z.nullable(z.string()) })),
})

export type PartState = Omit<z.Infer<typeof stateSchema>, 'format' | 'version' | 'task' | 'bytes' | 'whole'>

/** The file of unusable lines of the same run, which appears together with the answers. */
export interface Companion {
  readonly path: string | undefined
  sync(): void
  commit(): void
  discard(): void
}

/**
 * Time between two records of the progress, in milliseconds: the lines before each wait for the disk, which is not to
 * cost more than their computation.
 */
const RECORD_MS = 250

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
 * Lets the file of a run appear that was killed between its last line and its last step.
 * @param finishErrors lets the file of errors appear, from its absolute path
 */
export function finishParts(path: string, finishErrors: (path: string) => void): void {
  const state = readState(`${path}.part.json`)
  if (state?.whole === undefined) return
  if (state.whole.errors !== null) finishErrors(state.whole.errors)
  writing(path, () => {
    if (holds(`${path}.part`, state.bytes)) writes.rename(`${path}.part`, path)
    writes.syncPath(dirname(path))
    writes.remove(`${path}.part.json`)
  })
}

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
  readonly #companion: Companion | undefined
  #open = true
  #worthKeeping: boolean
  #finished = false
  #recorded = -Infinity
  /** State that is not recorded yet, and the number of bytes that belong to it. */
  #pending: { readonly state: PartState; readonly bytes: number } | null = null
  /** State from which reading resumes; null if it starts at the first line. */
  readonly resumed: PartState | null

  /**
   * @param task task that the file answers; null if it cannot be identified, e.g. for standard input
   * @param fits true if the rest of a stored state matches the current request
   * @param anew called if nothing is resumed, before anything is written or removed; may refuse by throwing
   * @param companion file of errors, which is on the disk before each record of the progress
   * @throws AlbertkitError `output` if `path` exists and `force` is not set, or if one of the files is read
   */
  constructor(
    readonly path: string,
    readonly task: ShardTask | null,
    {
      force,
      fits,
      anew,
      companion,
    }: {
      readonly force: boolean
      readonly fits: (state: PartState) => boolean
      readonly anew?: () => void
      readonly companion?: Companion
    },
  ) {
    refuseExisting(path, force)
    this.#part = `${path}.part`
    this.#state = `${path}.part.json`
    this.#companion = companion
    refuseSources([path, this.#part, this.#state, `${this.#state}.new`])
    const state = task === null ? null : readState(this.#state)
    const same =
      state !== null && difference(state.task, task!) === null && holds(this.#part, state.bytes) && fits(state)
    if (!same) anew?.()
    this.resumed = same ? state : null
    this.#before = same ? state.bytes : 0
    this.#worthKeeping = same
    if (same) cutFile(this.#part, state.bytes)
    else
      writing(this.#state, () => {
        writes.remove(this.#state)
      })
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
    this.#record(state, this.#length)
  }

  /** Records that every line before `state.next` is answered, unless the last record is recent. */
  checkpoint(state: PartState): void {
    this.#flush()
    this.#worthKeeping = this.task !== null
    this.#pending = { state, bytes: this.#length }
    if (performance.now() - this.#recorded < RECORD_MS) return
    this.#recordPending()
    this.#recorded = performance.now()
  }

  get #length(): number {
    return this.#before + this.#file.bytes
  }

  #recordPending(): void {
    if (this.#pending === null || this.task === null) return
    this.#companion?.sync()
    this.#file.sync()
    this.#record(this.#pending.state, this.#pending.bytes)
    this.#pending = null
  }

  #record(state: PartState, bytes: number, whole = {}): void {
    if (this.task === null) return
    const all = { format: 'albertkit-part', version: 1, task: this.task, bytes, ...state, ...whole }
    const next = new OutputFile(`${this.#state}.new`, 'w')
    try {
      next.write(utf8Bytes(`${JSON.stringify(all)}\n`))
      next.sync()
    } finally {
      next.close()
    }
    writing(this.#state, () => {
      writes.rename(`${this.#state}.new`, this.#state)
    })
  }

  /**
   * Lets the file appear, and its companion.
   * @param state after the last line; recorded, so that a process that is killed between the two leaves no half
   * @throws AlbertkitError `output`
   */
  finish(state?: PartState): void {
    this.#flush()
    this.#file.sync()
    const errors = this.#companion?.path
    if (state !== undefined && errors !== undefined) {
      this.#companion?.sync()
      this.#record(state, this.#length, { whole: { errors: state.errors.bytes > 0 ? resolve(errors) : null } })
    }
    this.#pending = null
    this.#close()
    this.#companion?.commit()
    writing(this.path, () => {
      writes.rename(this.#part, this.path)
      writes.syncPath(dirname(this.path))
      this.#finished = true
      writes.remove(this.#state)
    })
  }

  /** Ends an incomplete run; keeps the part file if another run can resume it. */
  discard(): void {
    this.#close()
    if (this.#worthKeeping || this.#finished) return
    this.#companion?.discard()
    tidy(this.#part, this.#state, `${this.#state}.new`)
  }

  #close(): void {
    if (!this.#open) return
    this.#open = false
    this.#forget()
    try {
      this.#flush()
      this.#recordPending()
    } finally {
      this.#file.close()
    }
  }
}
