import { dirname, join } from 'node:path'
import { AlbertkitError } from '../../base/errors.js'
import { wrapSource, type Container, type Found, type OpenLocated, type Opened } from '../core/container.js'
import type { OpenOptions, TensorSource } from '../core/source.js'
import type { ArchiveKind } from './unpack.js'

/** A name that says what the archive is. */
function kindOfName(path: string): ArchiveKind | null {
  if (/\.zip$/i.test(path)) return 'zip'
  if (/\.(tar\.gz|tgz)$/i.test(path)) return 'tar.gz'
  return /\.tar$/i.test(path) ? 'tar' : null
}

/** Names the archive in an error, where it names a file of the folder that the archive was unpacked to. */
const inArchive = (error: unknown, folder: string, path: string): unknown =>
  error instanceof AlbertkitError ? error.withPath(folder, path) : error

/** The source whose errors name the archive. */
function namingArchive(source: TensorSource, folder: string, path: string): TensorSource {
  const naming = (body: () => void): void => {
    try {
      body()
    } catch (error) {
      throw inArchive(error, folder, path)
    }
  }
  return {
    ...source,
    read: (name, offset, target) => {
      naming(() => {
        source.read(name, offset, target)
      })
    },
    verifyChecksum: (name) => {
      naming(() => {
        source.verifyChecksum(name)
      })
    },
  }
}

/** Unpacks into a temporary folder, which is removed when the source is closed, and when the process is interrupted. */
async function openUnpacked(
  path: string,
  kind: ArchiveKind,
  options: OpenOptions,
  openInner: OpenLocated,
): Promise<Opened> {
  // What unpacking needs takes as long to load as a small model.
  const [{ unpack }, { temporaryFolder }] = await Promise.all([
    import('./unpack.js'),
    import('../../base/temporary-folder.js'),
  ])
  const { path: folder, remove } = temporaryFolder()
  try {
    await unpack(path, kind, folder)
    const { source, directories } = await openInner(folder, options)
    const wrapped = wrapSource(source, { notes: ['unpacked to a temporary folder'], close: remove })
    return { source: namingArchive(wrapped, folder, path), directories }
  } catch (error) {
    remove()
    throw inArchive(error, folder, path)
  }
}

const found = (path: string, kind: ArchiveKind): Found => ({
  directories: [dirname(path)],
  notes: [],
  open: (options, openInner) => openUnpacked(path, kind, options, openInner),
})

/** A `.zip` or `.tar.gz` of a checkpoint folder, as albert_zh distributes its models. */
export const archive: Container = {
  title: 'an archive of one of them (.zip, .tar.gz)',
  byName(path) {
    const kind = kindOfName(path)
    return kind === null ? null : found(path, kind)
  },
  byBytes(path, kind) {
    if (kind === 'zip') return found(path, 'zip')
    return kind === 'gzip' ? found(path, 'tar.gz') : null
  },
  inDirectory(directory, names) {
    const archives = names.filter((name) => kindOfName(name) !== null)
    const [name] = archives
    if (name === undefined || archives.length !== 1) return null
    return found(join(directory, name), kindOfName(name)!)
  },
}
