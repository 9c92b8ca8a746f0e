import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { ZipFile } from 'yazl'

export interface ArchiveEntry {
  readonly name: string
  readonly data?: Buffer
  /** Target of a symbolic link; tar only. */
  readonly link?: string
}

async function collect(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

/** The bytes of a `.zip`. */
export function zip(entries: readonly ArchiveEntry[], options: { readonly compress?: boolean } = {}): Promise<Buffer> {
  const file = new ZipFile()
  for (const { name, data = Buffer.alloc(0) } of entries) file.addBuffer(data, name, options)
  file.end()
  return collect(file.outputStream)
}

/** The bytes of a `.tar`. */
export function tar(entries: readonly ArchiveEntry[]): Promise<Buffer> {
  const file = pack()
  for (const { name, data, link } of entries)
    if (link === undefined) file.entry({ name }, data ?? Buffer.alloc(0))
    else file.entry({ name, type: 'symlink', linkname: link })
  file.finalize()
  return collect(file)
}

/** The bytes of a `.tar.gz`. */
export const tarGz = async (entries: readonly ArchiveEntry[]): Promise<Buffer> => gzipSync(await tar(entries))
