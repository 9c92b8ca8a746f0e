import type { RangedFile } from '../core/file.js'
import type { TreeFile } from '../core/tree-port.js'
import { readZipDirectory } from '../zip/directory.js'
import { ZipMember } from '../zip/member.js'
import { ArchiveLimits } from './limits.js'
import { member, type Members } from './members.js'

/** File type of Unix: symbolic link. */
const TYPE = 0xf000
const LINK = 0xa000

/**
 * The files of a zip archive, none of them read.
 * @throws AlbertkitError `malformed` if it is damaged or a path leaves it, `unsupported` for links and bombs
 */
export function zipMembers(archive: RangedFile, checksum: boolean): Members {
  const limits = new ArchiveLimits(archive.path, archive.size)
  const files = new Map<string, TreeFile>()
  const folders: string[] = []
  for (const entry of readZipDirectory(archive)) {
    const path = limits.path(entry.name)
    if ((entry.mode & TYPE) === LINK) limits.refuseLink(entry.name)
    if (entry.directory) {
      folders.push(path)
      continue
    }
    limits.count(entry.size)
    const reader = (file: string) => {
      const bytes = new ZipMember(archive, entry, { file }, checksum)
      return bytes.read.bind(bytes)
    }
    files.set(path, member(entry.size, reader))
  }
  return { files, folders }
}
