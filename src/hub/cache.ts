import { readdirSync, readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { diskPath } from '../files/disk.js'
import type { HubReference } from './reference.js'

/**
 * The cache that the tools of Hugging Face share: `models--org--name/refs/main` holds a commit, `snapshots/<commit>/`
 * the files of that commit, as links to `blobs/`. Of their own albertkit keeps the list of a commit's files
 * (`.albertkit/<commit>.json`), and in `blobs/` what has arrived of a file (blob.ts).
 */

/** A commit's files in the cache. */
export interface Snapshot {
  /** Folder of the files, as `disk` knows it. */
  readonly folder: string
  readonly commit: string
}

export const COMMIT = /^[0-9a-f]{40}$/

/** Values of environment variables that mean yes, as huggingface_hub reads them. */
const YES = /^(1|on|yes|true)$/i

/** True if the environment keeps everything off the network. */
export const isOffline = (env: NodeJS.ProcessEnv = process.env): boolean =>
  YES.test(env.HF_HUB_OFFLINE ?? '') || YES.test(env.TRANSFORMERS_OFFLINE ?? '')

const set = (value: string | undefined): string | undefined => (value === '' ? undefined : value)

/** Folder of the cache, by the variables that huggingface_hub reads. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const own = set(env.HF_HUB_CACHE) ?? set(env.HUGGINGFACE_HUB_CACHE)
  const home = set(env.HF_HOME) ?? join(set(env.XDG_CACHE_HOME) ?? join(homedir(), '.cache'), 'huggingface')
  return (own ?? join(home, 'hub')).replace(/^~(?=$|[\\/])/, homedir())
}

/** Folder of files that came from addresses. */
export function addressCache(env: NodeJS.ProcessEnv = process.env): string {
  const base = set(env.XDG_CACHE_HOME) ?? join(homedir(), '.cache')
  return (set(env.ALBERTKIT_CACHE) ?? join(base, 'albertkit')).replace(/^~(?=$|[\\/])/, homedir())
}

/** Folder of a repository in the cache. */
export const repositoryFolder = (repo: string, cache = cacheFolder()): string =>
  join(cache, `models--${repo.replaceAll('/', '--')}`)

/** The commit that a revision meant when it was last downloaded; null if it was not. */
function commitOf(folder: string, revision: string): string | null {
  if (COMMIT.test(revision)) return revision
  try {
    const commit = readFileSync(join(folder, 'refs', ...revision.split('/')), 'utf8').trim()
    return COMMIT.test(commit) ? commit : null
  } catch {
    return null
  }
}

/** Where the cache has a repository, and a commit of it. */
export interface HubHome {
  readonly repository: string
  readonly blobs: string
  readonly snapshot: string
  /** The list of the commit's files, if albertkit has read it from the hub. */
  readonly listing: string
}

/** Where the cache has, or will have, a commit of a repository. */
export function hubHome(repo: string, commit: string, cache = cacheFolder()): HubHome {
  const repository = repositoryFolder(repo, cache)
  return {
    repository,
    blobs: join(repository, 'blobs'),
    snapshot: join(repository, 'snapshots', commit),
    listing: join(repository, '.albertkit', `${commit}.json`),
  }
}

/** True if a download by another tool was not finished. */
export function isUnfinished(repo: string, cache = cacheFolder()): boolean {
  try {
    return readdirSync(join(repositoryFolder(repo, cache), 'blobs')).some((name) => name.endsWith('.incomplete'))
  } catch {
    return false
  }
}

/** Finds the files of a revision in the cache; null if it was not downloaded. */
export function findSnapshot({ repo, revision }: HubReference, cache = cacheFolder()): Snapshot | null {
  const repository = repositoryFolder(repo, cache)
  const commit = commitOf(repository, revision)
  if (commit === null) return null
  const folder = join(repository, 'snapshots', commit)
  try {
    return statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true
      ? { folder: diskPath(folder), commit }
      : null
  } catch {
    return null
  }
}
