import type { OpenFile } from '../core/file-port.js'

/** The part of emscripten's file system that is used: https://emscripten.org/docs/api_reference/Filesystem-API.html */
export interface EmscriptenFiles {
  open: (path: string, flags: unknown, mode?: unknown) => unknown
  write: (stream: unknown, buffer: Uint8Array, offset: number, length: number, position?: number) => number
  mkdir(path: string): unknown
  mount(type: unknown, options: object, path: string): FileNode
  createNode(parent: FileNode | null, name: string, mode: number, device: number): FileNode
  destroyNode(node: FileNode): void
}

interface FileNode {
  id: number
  mode: number
  node_ops: object
  stream_ops: object
}

interface FileStream {
  readonly node: FileNode
  position: number
}

/** Error that emscripten's file system expects, with an errno. */
class ErrnoError extends Error {
  override readonly name = 'ErrnoError'

  constructor(readonly errno: number) {
    super(`errno ${errno}`)
  }
}
const NO_ENTRY = 44
const INPUT_OUTPUT = 29

const FOLDER_MODE = 0o040555
const FILE_MODE = 0o100444
const MOUNT = '/albertkit'

/**
 * Files of a port in the file system of the compiled library, which sees nothing else: links and external storage lead
 * nowhere, and nothing is written.
 */
export class PortFiles {
  readonly #root: FileNode
  readonly #open = new Map<FileNode, OpenFile>()
  readonly #paths = new Map<string, FileNode>()
  #count = 0
  /** Error of the port when a file was last read; kept here because the library must not see it. */
  failure: unknown = null
  /** Bytes of the longest run that was read since this was last set to 0. */
  longestRun = 0
  #run = { start: 0, end: 0 }

  constructor(readonly FS: EmscriptenFiles) {
    FS.mkdir(MOUNT)
    this.#root = FS.mount({ mount: () => this.#folder() }, {}, MOUNT)
    const open = FS.open
    FS.open = (path, flags, mode) => {
      if (!this.#paths.has(path)) throw new ErrnoError(NO_ENTRY)
      return open(path, flags, mode)
    }
  }

  #attributes(node: FileNode): object {
    const size = this.#open.get(node)?.size ?? 0
    const time = new Date(0)
    return {
      dev: 1,
      ino: node.id,
      mode: node.mode,
      nlink: 1,
      uid: 0,
      gid: 0,
      rdev: 0,
      size,
      atime: time,
      mtime: time,
      ctime: time,
      blksize: 4096,
      blocks: Math.ceil(size / 4096),
    }
  }

  #folder(): FileNode {
    const node = this.FS.createNode(null, '/', FOLDER_MODE, 0)
    node.node_ops = {
      getattr: (of: FileNode) => this.#attributes(of),
      lookup: () => {
        throw new ErrnoError(NO_ENTRY)
      },
    }
    node.stream_ops = {}
    return node
  }

  /** Makes a file visible. @returns its path in the library's file system */
  add(file: OpenFile): string {
    const name = String(++this.#count)
    const node = this.FS.createNode(this.#root, name, FILE_MODE, 0)
    node.node_ops = { getattr: (of: FileNode) => this.#attributes(of) }
    node.stream_ops = {
      llseek: (stream: FileStream, offset: number, whence: number) =>
        offset + (whence === 1 ? stream.position : whence === 2 ? file.size : 0),
      read: (_: FileStream, heap: Uint8Array, offset: number, length: number, position: number) =>
        this.#read(file, position, new Uint8Array(heap.buffer, heap.byteOffset + offset, length)),
    }
    this.#open.set(node, file)
    const path = `${MOUNT}/${name}`
    this.#paths.set(path, node)
    return path
  }

  /** Reads into memory of the library; errors of the port wait in `failure`, since nothing may be thrown through compiled code. */
  #read(file: OpenFile, position: number, target: Uint8Array): number {
    try {
      let done = 0
      while (done < target.length) {
        const n = file.read(position + done, target.subarray(done))
        if (n === 0) break
        done += n
      }
      const start = position === this.#run.end && this.longestRun > 0 ? this.#run.start : position
      this.#run = { start, end: position + done }
      this.longestRun = Math.max(this.longestRun, this.#run.end - start)
      return done
    } catch (error) {
      this.failure ??= error
      throw new ErrnoError(INPUT_OUTPUT)
    }
  }

  remove(path: string): void {
    const node = this.#paths.get(path)
    if (node === undefined) return
    this.#paths.delete(path)
    this.#open.get(node)?.close()
    this.#open.delete(node)
    this.FS.destroyNode(node)
  }
}
