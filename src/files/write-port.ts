import {
  closeSync,
  fsync,
  constants,
  copyFileSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeSync,
} from 'node:fs'
import { refuseSource } from '../base/sources.js'

/**
 * The one way to change the disk: every file and folder of an output is made, written, synchronised, renamed and
 * removed through these calls, so that sources are guarded in one place and tests can let any call fail.
 */
export interface WritePort {
  /** Opens a file for writing; `r+` is one that is there and is cut. A new one has `mode`, by default that of the system. */
  open(path: string, flags: OpenFlags, mode?: number): number
  /** Writes bytes, all or some, at `position` or, if that is null, after the last ones. @returns their number */
  write(descriptor: number, bytes: Uint8Array, position: number | null): number
  truncate(descriptor: number, bytes: number): void
  /** Waits until what was written to a file is on the disk. */
  sync(descriptor: number): void
  /** Waits until the contents of a closed file, or the names in a folder, are on the disk. */
  syncPath(path: string): void
  /** Does what `syncPath` does for a file, while signals and messages are handled. */
  flush(path: string): Promise<void>
  close(descriptor: number): void
  /** Renames what is complete; a file that is there is replaced. */
  rename(from: string, to: string): void
  /** Renames what something else is going to replace. */
  setAside(from: string, to: string): void
  /** Gives a file a second name, which must not exist. */
  link(from: string, to: string): void
  /** Makes a symbolic link, which must not exist. @param target as the link says it: relative to its folder, or absolute */
  symlink(target: string, path: string): void
  /** Copies a file, sharing its blocks if the file system can; a file that is there is replaced. */
  copy(from: string, to: string): void
  /** Removes a file; absent is fine. */
  remove(path: string): void
  /** Removes a folder with all that is in it; absent is fine. */
  removeTree(path: string): void
  removeFolder(path: string): void
  /** Creates a folder and its parents. @returns the first folder that was created; undefined if all exist */
  makeFolders(path: string): string | undefined
  makeFolder(path: string): void
}

type OpenFlags = 'wx' | 'w' | 'a' | 'r+'

/** Windows synchronises only files that are open for writing, and no folders. */
const IS_WINDOWS = process.platform === 'win32'

function syncPath(path: string): void {
  if (IS_WINDOWS && statSync(path).isDirectory()) return
  const descriptor = openSync(path, IS_WINDOWS ? 'r+' : 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

async function flush(path: string): Promise<void> {
  const descriptor = openSync(path, IS_WINDOWS ? 'r+' : 'r')
  try {
    await new Promise<void>((resolve, reject) => {
      fsync(descriptor, (error) => {
        if (error === null) resolve()
        else reject(error)
      })
    })
  } finally {
    closeSync(descriptor)
  }
}

/** The local file system. */
export const system: WritePort = {
  open: openSync,
  write: (descriptor, bytes, position) => writeSync(descriptor, bytes, 0, bytes.length, position),
  truncate: ftruncateSync,
  sync: fsyncSync,
  syncPath,
  flush,
  close: closeSync,
  rename: renameSync,
  setAside: renameSync,
  link: linkSync,
  symlink: (target, path) => {
    symlinkSync(target, path)
  },
  copy: (from, to) => {
    copyFileSync(from, to, constants.COPYFILE_FICLONE)
  },
  remove: (path) => {
    rmSync(path, { force: true })
  },
  removeTree: (path) => {
    rmSync(path, { recursive: true, force: true })
  },
  removeFolder: rmdirSync,
  makeFolders: (path) => mkdirSync(path, { recursive: true }),
  makeFolder: (path) => {
    mkdirSync(path)
  },
}

/** A port that changes no source. */
const guarded = (port: WritePort): WritePort => ({
  ...port,
  open: (path, flags, mode) => {
    if (flags !== 'wx') refuseSource(path)
    return port.open(path, flags, mode)
  },
  rename: (from, to) => {
    refuseSource(to)
    port.rename(from, to)
  },
  setAside: (from, to) => {
    refuseSource(from)
    port.setAside(from, to)
  },
  remove: (path) => {
    refuseSource(path)
    port.remove(path)
  },
})

/** The port in use; it changes no source. @throws AlbertkitError `output` for a source, Error of the system */
export let writes: WritePort = guarded(system)

/** Writes through another port from now on, for tests. @returns the function that takes it back */
export function useWritePort(next: WritePort): () => void {
  const before = writes
  writes = guarded(next)
  return () => {
    writes = before
  }
}
