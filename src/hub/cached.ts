import { existsSync } from 'node:fs'
import { usage } from '../base/errors.js'
import { disk } from '../files/disk.js'
import { exists } from '../formats/core/file-port.js'
import { join } from '../formats/core/paths.js'
import { cacheFolder, findSnapshot, hubHome } from './cache.js'
import type { ModelOrigin } from './origin.js'
import { parseHubPath } from './reference.js'

/**
 * True if the local cache has what `hf:` names from another tool, which fetched what it needs of it whole. What
 * albertkit fetched, in part, is found by its list (http/hub-place.ts).
 * @throws AlbertkitError `usage` if the name is none
 */
export function isCached(name: string): boolean {
  const reference = parseHubPath(name)
  const snapshot = findSnapshot(reference)
  if (snapshot === null || !exists(disk, join(snapshot.folder, reference.path))) return false
  return !existsSync(hubHome(reference.repo, snapshot.commit).listing)
}

/** A model of the hub in the local cache. */
export interface CachedModel {
  /** Path on disk. */
  readonly path: string
  readonly origin: ModelOrigin
}

/**
 * Finds a model that `hf:` names in the local cache.
 * @throws AlbertkitError `usage` if the name is none, or the cache lacks the model
 */
export function cachedModel(name: string): CachedModel {
  const reference = parseHubPath(name)
  const { repo, revision, path } = reference
  const snapshot = findSnapshot(reference)
  const download = `hf download ${repo}${revision === 'main' ? '' : ` --revision ${revision}`}`
  if (snapshot === null)
    throw usage(`${repo} is not in the local cache${revision === 'main' ? '' : ` at ${revision}`}`, {
      code: 'file-missing',
      file: name,
      hint: `looked in ${cacheFolder()} (HF_HUB_CACHE, HF_HOME); \`${download}\` puts it there`,
    })
  const found = join(snapshot.folder, path)
  if (!exists(disk, found))
    throw usage(`the local cache has ${repo}, but not ${path} of it`, {
      code: 'file-missing',
      file: name,
      hint: `it holds ${[...disk.list(snapshot.folder)].sort().join(', ')}; \`${download}\` completes it`,
    })
  return { path: found, origin: { repo, revision, commit: snapshot.commit, ...(path === '' ? {} : { path }) } }
}
