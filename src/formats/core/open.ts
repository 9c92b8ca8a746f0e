import { wrapSource, type LocatedSource, type Opened } from './container.js'
import { explained } from './explain.js'
import type { FilePort } from './file-port.js'
import { locate } from './locate.js'
import { joinParts } from '../views/partitioned.js'
import type { OpenOptions } from './source.js'

/**
 * Finds and opens the model at `path`, and gives the directories to search for its configuration and vocabulary.
 * Closing the source also removes everything that was unpacked for it, including these directories.
 * @throws AlbertkitError `malformed`, `unsupported` or `usage`
 */
export async function openLocated(files: FilePort, path: string, options: OpenOptions = {}): Promise<LocatedSource> {
  const found = locate(files, path)
  let opened: Opened
  try {
    opened = await found.open(options, openLocated)
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
