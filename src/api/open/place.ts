import { usage } from '../../base/errors.js'
import { disk, diskPath } from '../../files/disk.js'
import type { FilePort } from '../../formats/core/file-port.js'
import { isOffline } from '../../hub/cache.js'
import { cachedModel, isCached } from '../../hub/cached.js'
import type { ModelOrigin } from '../../hub/origin.js'
import { isHubPath, isUrl, parseHubPath } from '../../hub/reference.js'
import { installContainment } from './containment.js'

/** Where a model is that a user named by a path, an address or as `hf:org/name`. */
export interface ModelPlace {
  readonly files: FilePort
  /** Path as `files` knows it. */
  readonly path: string
  /** Null of a model that was named by its path. */
  readonly origin: ModelOrigin | null
  /** Gives back what the files of a server took; absent of other files. */
  readonly close?: () => void
}

/**
 * Finds the model that a user named on this machine, in the local cache too: without the network.
 * @throws AlbertkitError `usage` if it is not here
 */
export function localPlaceOf(path: string, files: FilePort = disk): ModelPlace {
  if (files !== disk) return { files, path, origin: null }
  if (isUrl(path))
    throw usage('an address cannot be read offline', { code: 'option-conflict', file: path, hint: 'name a local file' })
  if (!isHubPath(path)) return { files, path: diskPath(path), origin: null }
  return { files, ...cachedModel(path) }
}

/**
 * Finds the model that a user named: the one place that knows what else than a path names one. Only an address, and a
 * model of the hub that is not in the local cache, are looked for on the network.
 * @throws AlbertkitError `usage` if it is not there, `environment` if a server does not answer
 */
export async function placeOf(path: string, files: FilePort = disk): Promise<ModelPlace> {
  const isRemote = files === disk && (isUrl(path) || (isHubPath(path) && !isCached(path)))
  if (!isRemote || isOffline()) return localPlaceOf(path, files)
  // A thread that waits for a server can be interrupted.
  installContainment()
  const { hubPlace, urlPlace } = await import('../../hub/http/remote.js')
  return isUrl(path) ? urlPlace(path) : hubPlace(parseHubPath(path))
}
