import { usage, type AlbertkitError } from '../../base/errors.js'
import { disk, diskPath } from '../../files/disk.js'
import type { FilePort } from '../../formats/core/file-port.js'
import { locate } from '../../formats/core/locate.js'
import { isOffline, isUnfinished } from '../../hub/cache.js'
import { cachedModel, isCached } from '../../hub/cached.js'
import type { RemotePlace } from '../../hub/http/remote-place.js'
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
  /** Fetches files of a server whole (http/remote-place.ts); absent of other files. */
  readonly fetch?: RemotePlace['fetch']
  /** Gives back what the files of a server took; absent of other files. */
  readonly close?: () => void
}

/** The error of what is not on this machine while the network is off. */
const notHere = (path: string): AlbertkitError =>
  usage('nothing of this address is in the cache, and nothing is fetched offline', {
    code: 'file-missing',
    file: path,
    hint: 'read it once without `offline`, or name a local file',
  })

/**
 * Finds the model that a user named on this machine, in the local cache too: without the network, and as files of the
 * disk.
 * @throws AlbertkitError `usage` if it is not here
 */
export function localPlaceOf(path: string, files: FilePort = disk): ModelPlace {
  if (files !== disk) return { files, path, origin: null }
  if (isUrl(path)) throw notHere(path)
  if (!isHubPath(path)) return { files, path: diskPath(path), origin: null }
  return { files, ...cachedModel(path) }
}

/** True if a model that other tools have put into the cache is there to be opened. */
function isComplete(name: string): boolean {
  if (!isCached(name)) return false
  if (isOffline()) return true
  try {
    locate(disk, cachedModel(name).path)
    return !isUnfinished(parseHubPath(name).repo)
  } catch {
    return false
  }
}

/** Files of a server that a user named; null if `path` names none. */
async function remotePlaceOf(path: string, files: FilePort): Promise<RemotePlace | null> {
  if (files !== disk || !(isUrl(path) || (isHubPath(path) && !isComplete(path)))) return null
  // A thread that waits for a server can be interrupted.
  installContainment()
  if (isUrl(path)) {
    const { urlPlace } = await import('../../hub/http/url-place.js')
    const place = await urlPlace(path)
    if (place === null) throw notHere(path)
    return place
  }
  const { hubPlace } = await import('../../hub/http/hub-place.js')
  return hubPlace(parseHubPath(path))
}

/**
 * Finds the model that a user named: the one place that knows what else than a path names one. Only an address, and a
 * model of the hub that is not in the local cache, are looked for on the network.
 * @throws AlbertkitError `usage` if it is not there, `environment` if a server does not answer
 */
export async function placeOf(path: string, files: FilePort = disk): Promise<ModelPlace> {
  return (await remotePlaceOf(path, files)) ?? localPlaceOf(path, files)
}
