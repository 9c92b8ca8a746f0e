import type { RangedFile } from '../core/file.js'
import type { TreeFile } from '../core/tree-port.js'
import { SegmentCache } from '../deflate/inflated.js'
import { readZipDirectory } from '../zip/directory.js'
import { zipError } from '../zip/end-record.js'
import { ZipMember } from '../zip/member.js'
import type { ArchiveLimits } from './limits.js'
import { member, type Members } from './members.js'

/** File type of Unix: symbolic link. */
const TYPE = 0xf000
const LINK = 0xa000

/**
 * The files of a zip archive, not read yet.
 * @throws AlbertkitError `malformed` if it is damaged or a path leaves it, `unsupported` for links and bombs
 */
export function zipMembers(archive: RangedFile, limits: ArchiveLimits, checksum: boolean): Members {
  const cache = new SegmentCache()
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
    // Under names that differ in a slash.
    if (files.has(path)) throw zipError(archive, `the zip archive holds ${path} twice`, entry.dataStart)
    const reader = (file: string) => {
      const bytes = new ZipMember(archive, entry, { file }, checksum, cache)
      return bytes.read.bind(bytes)
    }
    files.set(path, member(entry.size, reader))
  }
  return { files, folders }
}
