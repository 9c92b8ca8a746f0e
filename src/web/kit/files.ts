import { crc32 } from '../../formats/core/checksums.js'
import { fileError } from '../../files/disk.js'
import { BlobContent, UrlContent } from '../system/content.js'
import { filesBelow, rmSync } from '../system/fs.js'
import { join } from '../system/path.js'
import { tree } from '../system/tree.js'
import type { FileContents, FileRequest, KitFile } from './protocol.js'

const PIECE = 1 << 20

function contentOf(path: string, contents: FileContents): BlobContent | UrlContent {
  if (typeof contents === 'string') return new UrlContent(contents, path)
  return 'url' in contents ? new UrlContent(contents.url, path, contents.bytes) : new BlobContent(contents, path)
}

function list(path: string): KitFile[] {
  if (tree.get(path).kind === 'file') return [{ path: '', bytes: tree.file(path).content.size }]
  return filesBelow(path)
    .sort()
    .map((inner) => ({ path: inner, bytes: tree.file(join(path, inner)).content.size }))
}

function read(path: string, offset: number, length: number): Uint8Array {
  const { content } = tree.file(path)
  const target = new Uint8Array(Math.max(0, Math.min(length, content.size - offset)))
  content.read(offset, target)
  return target
}

/** CRC-32 of a file, for its record in an archive. */
function checksum(path: string): number {
  const { content } = tree.file(path)
  let sum = 0
  for (let at = 0; at < content.size; at += PIECE) sum = crc32(read(path, at, PIECE), sum)
  return sum
}

function remove(path: string): void {
  if (!tree.unmount(path)) rmSync(path, { recursive: true, force: true })
}

function perform(request: FileRequest): unknown {
  switch (request.ask) {
    case 'mount':
      tree.mount(
        request.name,
        request.files.map(([path, contents]) => [path, contentOf(join(request.name, path), contents)] as const),
      )
      return null
    case 'remove':
      remove(request.path)
      return null
    case 'list':
      return list(request.path)
    case 'read':
      return read(request.path, request.offset, request.length)
    case 'checksum':
      return checksum(request.path)
  }
}

/** Answers a request about files. @throws AlbertkitError `malformed` or `environment` */
export function answerFile(request: FileRequest): unknown {
  try {
    return perform(request)
  } catch (error) {
    throw fileError(error, 'path' in request ? request.path : request.name)
  }
}
