import { wrapSource, type Container, type Found, type OpenLocated, type Opened } from '../core/container.js'
import type { FilePort } from '../core/file-port.js'
import { RangedFile } from '../core/file.js'
import { dirname, join } from '../core/paths.js'
import type { OpenOptions } from '../core/source.js'
import { limitsOf, limitWithin, type ArchiveLimits } from './limits.js'
import { mounted } from './mounted.js'
import type { Members } from './members.js'

type ArchiveKind = 'zip' | 'tar' | 'tar.gz'

/** Kind of an archive by its name; null for other names. */
function kindOfName(path: string): ArchiveKind | null {
  if (/\.zip$/i.test(path)) return 'zip'
  if (/\.(tar\.gz|tgz)$/i.test(path)) return 'tar.gz'
  return /\.tar$/i.test(path) ? 'tar' : null
}

/** The files in an archive. What reads it is loaded when it is needed. */
async function membersOf(
  archive: RangedFile,
  kind: ArchiveKind,
  limits: ArchiveLimits,
  checksum: boolean,
): Promise<Members> {
  if (kind === 'zip') return (await import('./zip.js')).zipMembers(archive, limits, checksum)
  const [{ tarMembers, tarOf }, { GzipBytes }] = await Promise.all([import('./tar.js'), import('./gzip.js')])
  if (kind === 'tar') return tarMembers(tarOf(archive), limits)
  const unpacked = new GzipBytes(archive, (piece) => {
    limits.count(piece.length)
  })
  const members = await tarMembers(unpacked, limits)
  unpacked.finish()
  return members
}

/** Opens the model in an archive, which is read in place and stays open as long as its source. */
async function openArchive(
  files: FilePort,
  path: string,
  kind: ArchiveKind,
  options: OpenOptions,
  openInner: OpenLocated,
): Promise<Opened> {
  const archive = new RangedFile(files, path)
  const close = (): void => {
    archive.close()
  }
  try {
    const limits = limitsOf(files, path, archive.size)
    const within = mounted(files, path, await membersOf(archive, kind, limits, options.checksum !== false))
    limitWithin(within, limits)
    const located = await openInner(within, path, options)
    return { ...located, source: wrapSource(located.source, { notes: ['read within the archive'], close }) }
  } catch (error) {
    close()
    throw error
  }
}

const found = (files: FilePort, path: string, kind: ArchiveKind): Found => ({
  directories: [dirname(path)],
  notes: [],
  open: (options, openInner) => openArchive(files, path, kind, options, openInner),
})

/** A `.zip` or `.tar.gz` of a checkpoint folder, as albert_zh distributes its models. */
export const archive: Container = {
  title: 'an archive of one of them (.zip, .tar.gz)',
  byName(files, path) {
    const kind = kindOfName(path)
    return kind === null ? null : found(files, path, kind)
  },
  byBytes(files, path, kind) {
    if (kind === 'zip') return found(files, path, 'zip')
    return kind === 'gzip' ? found(files, path, 'tar.gz') : null
  },
  inDirectory(files, directory, names) {
    const archives = names.filter((name) => kindOfName(name) !== null)
    const [name] = archives
    if (name === undefined || archives.length !== 1) return null
    return found(files, join(directory, name), kindOfName(name)!)
  },
}
