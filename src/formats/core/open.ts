import { confined } from './confined.js'
import { wrapSource, type LocatedSource, type Opened } from './container.js'
import { explained } from './explain.js'
import { isDirectory, type FilePort } from './file-port.js'
import { locate } from './locate.js'
import { dirname } from './paths.js'
import { joinParts } from '../views/partitioned.js'
import type { OpenOptions } from './source.js'

/** The files of the model at `path`: none of them may be a link out of its folder, but for the file that is named. */
const filesOf = (files: FilePort, path: string): FilePort =>
  isDirectory(files, path) ? confined(files, [path]) : confined(files, [dirname(path)], [path])

/**
 * Finds and opens the model at `path`, and gives the directories to search for its configuration and vocabulary.
 * Closing the source also removes everything that was unpacked for it, including these directories.
 * @throws AlbertkitError `malformed`, `unsupported` or `usage`
 */
export async function openLocated(files: FilePort, path: string, options: OpenOptions = {}): Promise<LocatedSource> {
  const own = filesOf(files, path)
  const located = await openWithin(own, path, options)
  // Configurations that the user names may be links: who reads side files confines them.
  return located.files === own ? { ...located, files } : located
}

/**
 * The same for a model within a container, whose files are confined already. They are handed on as they are: a port to
 * an archive is known by its identity.
 */
async function openWithin(files: FilePort, path: string, options: OpenOptions = {}): Promise<LocatedSource> {
  const found = locate(files, path)
  let opened: Opened
  try {
    opened = await found.open(options, openWithin)
  } catch (error) {
    throw explained(files, error)
  }
  const { source, directories = [], files: within = files } = opened
  return {
    source: joinParts(found.notes.length === 0 ? source : wrapSource(source, { notes: found.notes })),
    files: within,
    directories: [...new Set([...directories, ...found.directories])],
  }
}
