import { disk, diskPath } from '../../files/disk.js'
import type { FilePort } from '../../formats/core/file-port.js'
import { cachedModel } from '../../hub/cached.js'
import type { ModelOrigin } from '../../hub/origin.js'
import { isHubPath } from '../../hub/reference.js'

/** Where a model is that a user named by a path or as `hf:org/name`. */
export interface ModelPlace {
  readonly files: FilePort
  /** Path as `files` knows it. */
  readonly path: string
  /** Null of a model that was named by its path. */
  readonly origin: ModelOrigin | null
}

/**
 * Finds the model that a user named: the one place that knows what else than a path names one.
 * @throws AlbertkitError `usage` if it is not in the local cache
 */
export function placeOf(path: string, files: FilePort = disk): ModelPlace {
  if (files !== disk) return { files, path, origin: null }
  if (!isHubPath(path)) return { files, path: diskPath(path), origin: null }
  return { files, ...cachedModel(path) }
}
