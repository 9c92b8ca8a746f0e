import { rmSync, statSync, truncateSync } from 'node:fs'
import { OutputFile, writing } from '../../files/output-file.js'
import { refuseExisting } from '../../files/atomic-file.js'
import type { BadLine } from '../../text/data/examples.js'

export const badLine = ({ line, reason, content }: BadLine): string => JSON.stringify({ line, reason, content })

/** State of an errors file when a run was interrupted. */
export interface ErrorsState {
  readonly count: number
  readonly bytes: number
}

/** Checks the path. @throws AlbertkitError `output` if a file exists and `force` is not set; devices are allowed */
export function refuseExistingErrors(path: string | undefined, force: boolean): void {
  if (path !== undefined && statSync(path, { throwIfNoEntry: false })?.isFile() === true) refuseExisting(path, force)
}

/** File of unusable lines, created with the first one. */
export class ErrorsFile {
  #file: OutputFile | null = null
  #count = 0
  #before = 0

  constructor(readonly path: string | undefined) {}

  get state(): ErrorsState {
    return { count: this.#count, bytes: this.#before + (this.#file?.bytes ?? 0) }
  }

  get count(): number {
    return this.#count
  }

  /** Removes the file of an earlier run: this run may have no unusable lines. */
  clear(): void {
    const { path } = this
    if (path === undefined || statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return
    writing(path, () => {
      rmSync(path)
    })
  }

  /** Continues after the lines of an interrupted run. @throws AlbertkitError `output` */
  resume({ count, bytes }: ErrorsState): void {
    const { path } = this
    this.#count = count
    this.#before = bytes
    if (path === undefined) return
    if (bytes === 0) {
      this.clear()
      return
    }
    writing(path, () => {
      truncateSync(path, bytes)
    })
    this.#file = new OutputFile(path, 'a')
  }

  /** Appends an unusable line. @throws AlbertkitError `output` */
  add(bad: BadLine): void {
    this.#count++
    if (this.path === undefined) return
    this.#file ??= new OutputFile(this.path, 'w')
    this.#file.write(Buffer.from(`${badLine(bad)}\n`))
  }

  close(): void {
    this.#file?.close()
    this.#file = null
  }
}
