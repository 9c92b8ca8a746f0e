import { wrapSource, type LocatedSource, type Opened } from './container.js'
import { explained } from './explain.js'
import { locate } from './locate.js'
import { joinParts } from '../views/partitioned.js'
import type { OpenOptions, TensorSource } from './source.js'

/**
 * Finds and opens the model that `path` means, and says where what belongs to it may lie. Closing the source also
 * removes what had to be unpacked for it, the directories included.
 * @throws AlbertkitError `malformed`, `unsupported` or `usage`
 */
export async function openLocated(path: string, options: OpenOptions = {}): Promise<LocatedSource> {
  const found = locate(path)
  let opened: Opened
  try {
    opened = await found.open(options, openLocated)
  } catch (error) {
    throw explained(error)
  }
  const { source, directories = [] } = opened
  return {
    source: joinParts(found.notes.length === 0 ? source : wrapSource(source, { notes: found.notes })),
    directories: [...new Set([...directories, ...found.directories])],
  }
}

/**
 * Opens the model file that `path` means. Async, because some containers need a runtime that loads that way.
 * @throws AlbertkitError `malformed`, `unsupported` or `usage`
 */
export const openSource = async (path: string, options: OpenOptions = {}): Promise<TensorSource> =>
  (await openLocated(path, options)).source
