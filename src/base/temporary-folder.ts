import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { outputError } from './errors.js'
import { onInterrupt } from './interrupt.js'

function said(read: () => string): string {
  try {
    return read()
  } catch {
    return ''
  }
}

/**
 * Names of what is not finished: hidden, and saying which process of which machine writes it, so that the next one can
 * remove what a killed one left behind. Containers that share a volume, and a name even, do not see each other's
 * processes: a machine is a boot and a namespace of processes, if the system has them.
 */
const HOST = createHash('sha256')
  .update(hostname())
  .update(said(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')))
  .update(said(() => readlinkSync('/proc/self/ns/pid')))
  .digest('hex')
  .slice(0, 8)
export const TEMPORARY = /^\.albertkit-([0-9a-f]{8})-(\d+)-([0-9a-f]{8})$/

/** File that marks a commit of a new version in its folder (files/commit-journal.ts). */
export const JOURNAL = '.albertkit-commit'

/** The name of this process for something unfinished. */
export const ownName = (id: string): string => `.albertkit-${HOST}-${process.pid}-${id}`

/** A unique name in `folder`. */
export const temporaryIn = (folder: string): string => join(folder, ownName(randomUUID().slice(0, 8)))

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it exists and belongs to another user.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}

/**
 * True if the process that a name belongs to is one of this machine and no longer runs, or is this one and does not
 * work on it any more.
 */
export function isOwnerGone(name: string, isOurs: (id: string) => boolean = () => true): boolean {
  const [, host, pid, id = ''] = TEMPORARY.exec(name) ?? []
  if (host !== HOST) return false
  return Number(pid) === process.pid ? !isOurs(id) : !isAlive(Number(pid))
}

/** A browser that was killed may still write for a moment. */
const REMOVAL = { recursive: true, force: true, maxRetries: 3, retryDelay: 30 } as const

/** Removes from `folder` what processes of this machine that no longer run left there; what cannot be removed stays. */
export function removeAbandoned(folder: string): void {
  try {
    const abandoned = readdirSync(folder).filter((name) => isOwnerGone(name))
    // Looked for after the processes: one that is gone begins no commit. Files of an unfinished one are still needed.
    if (existsSync(join(folder, JOURNAL))) return
    for (const name of abandoned) rmSync(join(folder, name), REMOVAL)
  } catch {
    // Errors of tidying up are ignored.
  }
}

/** A folder for temporary files that other users cannot read. */
export interface TemporaryFolder {
  readonly path: string
  /** Removes it; it goes by itself when the process is interrupted. */
  readonly remove: () => void
}

/**
 * Makes a folder in `parent`, by default the system's temporary folder.
 * @throws AlbertkitError `output` if none can be made
 */
export function temporaryFolder(parent = tmpdir()): TemporaryFolder {
  removeAbandoned(parent)
  const path = temporaryIn(parent)
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw outputError(`no temporary folder could be made: ${message}`, {
      code: 'output-failed',
      file: parent,
      hint: 'the environment variable TMPDIR names another place',
      cause: error,
    })
  }
  const remove = (): void => {
    forget()
    rmSync(path, REMOVAL)
  }
  const forget = onInterrupt(remove)
  return { path, remove }
}
