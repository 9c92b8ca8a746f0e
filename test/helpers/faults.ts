import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { createHash } from 'node:crypto'
import { system, useWritePort, type WritePort } from '../../src/files/write-port.js'

/** What a process that was killed "throws": nothing that it calls afterwards has any effect. */
class Killed extends Error {}

/** True for the end of a killed process, whatever wrapped it. */
export const isKilled = (error: unknown): boolean =>
  error instanceof Killed || (error instanceof Error && isKilled(error.cause))

export type Fault =
  /** The process dies at the n-th call; a write is half done. */
  | { readonly kind: 'kill'; readonly at: number }
  /** So does the machine: what was not synchronised is lost. */
  | { readonly kind: 'power'; readonly at: number }
  /** The n-th call fails with an error of the system; later ones work. */
  | { readonly kind: 'fail'; readonly at: number; readonly code: string }

const systemError = (code: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${code}: injected`), { code, syscall: 'injected' })

/** A port that lets one call fail. */
class FaultyPort implements WritePort {
  calls = 0
  readonly log: string[] = []
  #dead = false
  readonly #paths = new Map<number, string>()
  readonly #unsynced = new Set<string>()

  constructor(readonly fault: Fault | null) {}

  #call<T>(what: string, body: () => T, half?: () => void): T {
    if (this.#dead) throw new Killed()
    this.calls++
    this.log.push(what)
    if (this.fault?.at !== this.calls) return body()
    if (this.fault.kind === 'fail') throw systemError(this.fault.code)
    half?.()
    this.#dead = true
    // The system closes what the process had open.
    for (const descriptor of this.#paths.keys()) system.close(descriptor)
    if (this.fault.kind === 'power')
      for (const path of this.#unsynced)
        if (existsSync(path) && statSync(path).isFile()) truncateSync(path, Math.floor(statSync(path).size / 2))
    throw new Killed()
  }

  #moved(from: string, to: string): void {
    for (const path of [...this.#unsynced])
      if (path === from || path.startsWith(`${from}/`)) {
        this.#unsynced.delete(path)
        this.#unsynced.add(to + path.slice(from.length))
      }
  }

  open: WritePort['open'] = (path, flags, mode) =>
    this.#call(`open ${flags}`, () => {
      const descriptor = system.open(path, flags, mode)
      this.#paths.set(descriptor, path)
      return descriptor
    })

  write: WritePort['write'] = (descriptor, bytes, position) => {
    this.#unsynced.add(this.#paths.get(descriptor) ?? '')
    return this.#call(
      'write',
      () => system.write(descriptor, bytes, position),
      () => system.write(descriptor, bytes.subarray(0, bytes.length >> 1), position),
    )
  }

  truncate: WritePort['truncate'] = (descriptor, bytes) => {
    this.#call('truncate', () => {
      system.truncate(descriptor, bytes)
    })
  }

  sync: WritePort['sync'] = (descriptor) => {
    this.#call('sync', () => {
      system.sync(descriptor)
      this.#unsynced.delete(this.#paths.get(descriptor) ?? '')
    })
  }

  syncPath: WritePort['syncPath'] = (path) => {
    this.#call('syncPath', () => {
      system.syncPath(path)
      this.#unsynced.delete(path)
    })
  }

  flush: WritePort['flush'] = async (path) => {
    await this.#call('flush', () => system.flush(path))
    this.#unsynced.delete(path)
  }

  close: WritePort['close'] = (descriptor) => {
    this.#call('close', () => {
      this.#paths.delete(descriptor)
      system.close(descriptor)
    })
  }

  rename: WritePort['rename'] = (from, to) => {
    this.#call('rename', () => {
      system.rename(from, to)
      this.#moved(from, to)
    })
  }

  setAside: WritePort['setAside'] = (from, to) => {
    this.#call('setAside', () => {
      system.setAside(from, to)
      this.#moved(from, to)
    })
  }

  link: WritePort['link'] = (from, to) => {
    this.#call('link', () => {
      system.link(from, to)
    })
  }

  symlink: WritePort['symlink'] = (target, path) => {
    this.#call('symlink', () => {
      system.symlink(target, path)
    })
  }

  copy: WritePort['copy'] = (from, to) => {
    this.#call('copy', () => {
      system.copy(from, to)
    })
  }

  remove: WritePort['remove'] = (path) => {
    this.#call('remove', () => {
      system.remove(path)
    })
  }

  removeTree: WritePort['removeTree'] = (path) => {
    this.#call('removeTree', () => {
      system.removeTree(path)
    })
  }

  removeFolder: WritePort['removeFolder'] = (path) => {
    this.#call('removeFolder', () => {
      system.removeFolder(path)
    })
  }

  makeFolders: WritePort['makeFolders'] = (path) => this.#call('makeFolders', () => system.makeFolders(path))

  makeFolder: WritePort['makeFolder'] = (path) => {
    this.#call('makeFolder', () => {
      system.makeFolder(path)
    })
  }
}

export interface Outcome {
  /** Number of calls of the port. */
  readonly calls: number
  readonly log: readonly string[]
  /** Error that came out; null if there was none. */
  readonly error: unknown
}

/** Runs `body` with a fault; null runs it without one and counts the calls. */
export async function withFault(fault: Fault | null, body: () => unknown): Promise<Outcome> {
  const port = new FaultyPort(fault)
  const restore = useWritePort(port)
  try {
    await body()
    return { calls: port.calls, log: port.log, error: null }
  } catch (error) {
    return { calls: port.calls, log: port.log, error }
  } finally {
    restore()
  }
}

/** Numbers of the calls at which a fault is tried: all with FAULTS=all, else about `limit` of them. */
export function faultPoints(calls: number, limit = Infinity): number[] {
  const step = process.env.FAULTS === 'all' ? 1 : Math.max(1, Math.ceil(calls / limit))
  return Array.from({ length: calls }, (_, i) => i + 1).filter((n) => n % step === 0 || n === calls)
}

/** What a folder shows: the hash of each file by its path, without what is hidden and unfinished. */
export function shown(folder: string): Readonly<Record<string, string>> {
  if (!existsSync(folder)) return {}
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  return Object.fromEntries(
    files
      .map((path) => [relative(folder, path), path] as const)
      .filter(([name]) => !name.split('/').some((part) => part.startsWith('.albertkit-')))
      .sort()
      .map(([name, path]) => [name, createHash('sha256').update(readFileSync(path)).digest('hex')]),
  )
}

/** A temporary folder with a function that gives paths in it. */
export function temporary(): { readonly at: (name: string) => string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'albertkit-faults-'))
  return {
    at: (name) => join(folder, name),
    remove: () => {
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
