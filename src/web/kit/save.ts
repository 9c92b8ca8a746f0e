/// <reference lib="dom" />
import { stopIfAborted } from '../../base/abort.js'
import { outputError } from '../../base/errors.js'
import { MANIFEST_FILE } from '../../base/artefact-layout.js'
import { MAX_ZIP_OFFSET, zipRecords } from '../../formats/zip/write.js'
import type { Conversation } from './conversation.js'
import type { KitFile } from './protocol.js'

export interface SaveOptions {
  readonly signal?: AbortSignal
  /** Called with the bytes that were read so far, and their number in all. */
  readonly onBytes?: (done: number, total: number) => void
}

/** Bytes that are read at once. */
const PIECE = 1 << 20

type Bytes = Uint8Array<ArrayBuffer>

const pathOf = (folder: string, { path }: KitFile): string => (path === '' ? folder : `${folder}/${path}`)

/** Files of a folder, the manifest last: whoever finds one finds the others. */
async function listed(talk: Conversation, folder: string): Promise<readonly KitFile[]> {
  const files = (await talk.ask({ ask: 'list', path: folder })) as KitFile[]
  return [...files.filter(({ path }) => path !== MANIFEST_FILE), ...files.filter(({ path }) => path === MANIFEST_FILE)]
}

/** Reads files in pieces, and counts the bytes of all. */
class Reading {
  #done = 0
  readonly #total: number

  constructor(
    readonly talk: Conversation,
    files: readonly KitFile[],
    readonly options: SaveOptions,
  ) {
    this.#total = files.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  async *pieces(path: string, bytes: number): AsyncGenerator<Bytes> {
    for (let offset = 0; offset < bytes; offset += PIECE) {
      stopIfAborted(this.options.signal)
      const piece = (await this.talk.ask({ ask: 'read', path, offset, length: PIECE })) as Bytes
      this.#done += piece.length
      this.options.onBytes?.(this.#done, this.#total)
      yield piece
    }
  }
}

/** A stream of what a generator gives, as fast as it is taken. */
const streamOf = (pieces: AsyncGenerator<Bytes>): ReadableStream<Bytes> =>
  new ReadableStream<Bytes>({
    async pull(controller) {
      const next = await pieces.next()
      if (next.done === true) controller.close()
      else controller.enqueue(next.value)
    },
    async cancel() {
      await pieces.return(undefined)
    },
  })

/** A folder as a zip archive. @throws AlbertkitError `output` if it would end beyond 4 GB */
export async function zipStream(
  talk: Conversation,
  folder: string,
  options: SaveOptions = {},
): Promise<ReadableStream<Bytes>> {
  const files = await listed(talk, folder)
  // Before all of it is read for the sums.
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  if (bytes > MAX_ZIP_OFFSET)
    throw outputError('the archive would be larger than 4 GB, the most that a zip archive of albertkit holds', {
      code: 'output-failed',
      file: folder,
      hint: 'write the files into a folder instead',
    })
  const sums: number[] = []
  for (const file of files) {
    stopIfAborted(options.signal)
    sums.push((await talk.ask({ ask: 'checksum', path: pathOf(folder, file) })) as number)
  }
  const { before, end } = zipRecords(files.map(({ path, bytes }, i) => ({ name: path, bytes, crc32: sums[i]! })))
  const reading = new Reading(talk, files, options)
  async function* pieces(): AsyncGenerator<Bytes> {
    for (const [i, file] of files.entries()) {
      yield before[i] as Bytes
      yield* reading.pieces(pathOf(folder, file), file.bytes)
    }
    yield end as Bytes
  }
  return streamOf(pieces())
}

/** The folder of a path below `root`, created if it is absent. */
async function folderOf(root: FileSystemDirectoryHandle, path: string): Promise<FileSystemDirectoryHandle> {
  let folder = root
  for (const name of path.split('/').slice(0, -1)) folder = await folder.getDirectoryHandle(name, { create: true })
  return folder
}

/** Writes the files of a folder into one of the user's. */
export async function writeInto(
  talk: Conversation,
  folder: string,
  root: FileSystemDirectoryHandle,
  options: SaveOptions = {},
): Promise<void> {
  const files = await listed(talk, folder)
  const reading = new Reading(talk, files, options)
  for (const file of files) {
    const into = await folderOf(root, file.path)
    const handle = await into.getFileHandle(file.path.split('/').pop()!, { create: true })
    // What is written appears when the stream is closed.
    const target = await handle.createWritable()
    try {
      for await (const piece of reading.pieces(pathOf(folder, file), file.bytes)) await target.write(piece)
    } catch (error) {
      await target.abort()
      throw error
    }
    await target.close()
  }
}
