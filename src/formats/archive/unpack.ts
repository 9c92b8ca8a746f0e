import { createReadStream, createWriteStream, mkdirSync, statSync } from 'node:fs'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { AlbertkitError, environment, malformed, unsupported } from '../../base/errors.js'
import { RangedFile } from '../core/file.js'
import { openZip } from '../zip/open.js'
import { Unpacking } from './place.js'

type Zip = import('yauzl').ZipFile
type ZipEntry = import('yauzl').Entry

/** Writes one file, counting what comes out. */
async function write(stream: Readable, path: string, unpacking: Unpacking): Promise<void> {
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        unpacking.count(chunk.length)
        done(null, chunk)
      } catch (error) {
        done(error as Error)
      }
    },
  })
  await pipeline(stream, counter, createWriteStream(path, { flags: 'wx' }))
}

/** Symbolic links in archives made by Unix. */
const isLink = (entry: ZipEntry): boolean => ((entry.externalFileAttributes >>> 16) & 0xf000) === 0xa000

async function unpackZip(archive: string, unpacking: Unpacking): Promise<void> {
  const file = new RangedFile(archive)
  let zip: Zip
  try {
    zip = await openZip(file, { decodeStrings: true })
  } catch (error) {
    file.close()
    throw error
  }
  const openEntry = (entry: ZipEntry): Promise<Readable> =>
    new Promise((resolve, reject) => {
      zip.openReadStream(entry, (error, stream) => {
        if (error === null) resolve(stream)
        else reject(error)
      })
    })
  try {
    await new Promise<void>((resolve, reject) => {
      const take = async (entry: ZipEntry): Promise<void> => {
        if (isLink(entry)) throw unsupported(`the archive holds a link: ${entry.fileName}`, { file: archive })
        const path = unpacking.place(entry.fileName)
        if (entry.fileName.endsWith('/')) mkdirSync(path, { recursive: true })
        else {
          unpacking.expect(entry.uncompressedSize)
          await write(await openEntry(entry), path, unpacking)
        }
        zip.readEntry()
      }
      zip.on('entry', (entry: ZipEntry) => void take(entry).catch(reject))
      zip.on('end', resolve)
      zip.on('error', reject)
      zip.readEntry()
    })
  } finally {
    zip.close()
    file.close()
  }
}

async function unpackTar(archive: string, unpacking: Unpacking, compressed: boolean): Promise<void> {
  const { extract } = await import('../../vendor/tar-stream.js')
  const tar = extract()
  const reading = compressed
    ? pipeline(createReadStream(archive), createGunzip(), tar)
    : pipeline(createReadStream(archive), tar)
  // What goes wrong in reading ends the loop below as well, with the same error.
  reading.catch(() => undefined)
  for await (const entry of tar) {
    const { name, type } = entry.header
    if (type === 'directory') mkdirSync(unpacking.place(name), { recursive: true })
    else if (type === 'file' || type === 'contiguous-file') {
      unpacking.expect(entry.header.size)
      await write(Readable.from(entry as AsyncIterable<Uint8Array>), unpacking.place(name), unpacking)
    } else if (type === 'symlink' || type === 'link')
      throw unsupported(`the archive holds a link: ${name}`, { file: archive })
    else entry.resume()
  }
  await reading
}

export type ArchiveKind = 'zip' | 'tar' | 'tar.gz'

/**
 * Unpacks an archive into `folder`, which is empty.
 * @throws AlbertkitError `malformed` where it is damaged or a path leaves it, `unsupported` for links and bombs,
 *   `environment` where there is no room
 */
export async function unpack(archive: string, kind: ArchiveKind, folder: string): Promise<void> {
  const unpacking = new Unpacking(archive, statSync(archive).size, folder)
  try {
    if (kind === 'zip') await unpackZip(archive, unpacking)
    else await unpackTar(archive, unpacking, kind === 'tar.gz')
  } catch (error) {
    if (error instanceof AlbertkitError) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw environment('there is no room to unpack the archive', {
        file: archive,
        cause: error,
        hint: 'set TMPDIR to a directory with more space, or unpack it by hand',
      })
    throw malformed(`the archive cannot be unpacked: ${(error as Error).message}`, {
      file: archive,
      cause: error,
      hint: 'is the file whole? fetch it again',
    })
  }
}
