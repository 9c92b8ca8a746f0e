import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { AlbertkitError } from '../../base/errors.js'
import { toJsonLine } from '../../base/json-text.js'
import { onInterrupt } from '../../base/interrupt.js'
import { refuseExisting } from '../../files/atomic-file.js'
import { cutFile, OutputFile, tidy, writing } from '../../files/output-file.js'
import { writes } from '../../files/write-port.js'
import type { BadLine } from '../../text/data/examples.js'

export const badLine = ({ line, reason, content }: BadLine): string => toJsonLine({ line, reason, content })

/** State of an errors file when a run was interrupted. */
export interface ErrorsState {
  readonly count: number
  readonly bytes: number
}

const statOf = (path: string) => statSync(path, { throwIfNoEntry: false })

/** Checks the path. @throws AlbertkitError `output` if a file exists and `force` is not set; devices are allowed */
export function refuseExistingErrors(path: string | undefined, force: boolean): void {
  if (path !== undefined && statOf(path)?.isFile() === true) refuseExisting(path, force)
}

/**
 * File of unusable lines, which appears when all are known, and only if there are some. Until then they are in
 * `FILE.part`, of which a continued run keeps the beginning. A device or a pipe gets the lines at once.
 */
export class ErrorsFile {
  readonly #target: string | null
  readonly #forget: () => void
  #file: OutputFile | null = null
  #count = 0
  #before = 0

  /** @param isKept true if an interrupted run is continued, so that its lines stay */
  constructor(
    readonly path: string | undefined,
    isKept = false,
  ) {
    const there = path === undefined ? undefined : statOf(path)
    const isStream = there !== undefined && !there.isFile() && !there.isDirectory()
    this.#target = path === undefined || isStream ? (path ?? null) : partOf(path)
    this.#forget = onInterrupt(() => {
      if (!isKept) this.discard()
    })
  }

  get state(): ErrorsState {
    return { count: this.#count, bytes: this.#before + (this.#file?.bytes ?? 0) }
  }

  get count(): number {
    return this.#count
  }

  /** True if the lines of an interrupted run are there. */
  holds({ bytes }: ErrorsState): boolean {
    const target = this.#target
    return bytes === 0 || target === null || target === this.path || (statOf(target)?.size ?? -1) >= bytes
  }

  /** Continues after the lines of an interrupted run. @throws AlbertkitError `output` */
  resume({ count, bytes }: ErrorsState): void {
    this.#count = count
    this.#before = bytes
    if (this.#target === null || bytes === 0) return
    if (this.#target !== this.path) cutFile(this.#target, bytes)
    this.#file = new OutputFile(this.#target, 'a')
  }

  /** Appends an unusable line. @throws AlbertkitError `output` */
  add(bad: BadLine): void {
    this.#count++
    if (this.#target === null) return
    this.#file ??= new OutputFile(this.#target, 'w')
    this.#file.write(Buffer.from(`${badLine(bad)}\n`))
  }

  /** Waits until the lines are on the disk. @throws AlbertkitError `output` */
  sync(): void {
    if (this.#target !== this.path) this.#file?.sync()
  }

  /** Lets the file appear; the one of an earlier run goes, even if this one has no lines. @throws AlbertkitError `output` */
  commit(): void {
    this.sync()
    const isWritten = this.#file !== null
    this.close()
    const { path } = this
    const target = this.#target
    if (path === undefined || target === null || target === path) return
    writing(path, () => {
      if (isWritten) writes.rename(target, path)
      else writes.remove(path)
      writes.syncPath(dirname(path))
    })
  }

  /** Ends a run that failed. If no line was usable, the lines say why, and appear. */
  fail(error: unknown): void {
    if (error instanceof AlbertkitError && error.code === 'text-unusable') this.commit()
    else this.discard()
  }

  /** Removes what was written, unless it has appeared. */
  discard(): void {
    const isWritten = this.#file !== null
    this.close()
    if (isWritten && this.#target !== null && this.#target !== this.path) tidy(this.#target)
  }

  close(): void {
    this.#forget()
    this.#file?.close()
    this.#file = null
  }
}

const partOf = (path: string): string => `${path}.part`

/** Lets the lines of a run appear whose last step was not reached. @param path of the file, not of its part */
export function finishErrors(path: string): void {
  if (statOf(partOf(path))?.isFile() === true)
    writing(path, () => {
      writes.rename(partOf(path), path)
    })
}
