import { homedir } from 'node:os'
import { join as joinDisk } from 'node:path'
import { AlbertkitError, malformed, usage } from '../../base/errors.js'
import { readPlainText } from '../../files/plain-text.js'
import { system } from '../../files/write-port.js'
import { COMMIT, findSnapshot, hubHome, isOffline, type HubHome } from '../cache.js'
import {
  isBlobName,
  isInside,
  keepListing,
  keepText,
  MAX_FILES,
  readListing,
  type ListedFile,
  type Listing,
} from '../listing.js'
import type { HubReference } from '../reference.js'
import { Fetcher } from './fetcher.js'
import { fetchFolder } from './fetch-folder.js'
import { RemoteFile } from './remote-file.js'
import { blobPlace, RemoteFiles, type RemotePlace } from './remote-place.js'
import { jsonAt, MAX_LISTING } from './texts.js'
import { urlOf } from './request.js'

/** The user's token, as huggingface_hub finds it. */
function hubToken(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const given = [env.HF_TOKEN, env.HUGGING_FACE_HUB_TOKEN]
    .map((text) => (text ?? '').trim())
    .find((text) => text !== '')
  if (given !== undefined) return given
  try {
    const home = env.HF_HOME ?? joinDisk(env.XDG_CACHE_HOME ?? joinDisk(homedir(), '.cache'), 'huggingface')
    const file = env.HF_TOKEN_PATH ?? joinDisk(home, 'token')
    const token = readPlainText(file.replace(/^~(?=$|[\\/])/, homedir())).trim()
    return token === '' ? undefined : token
  } catch {
    return undefined
  }
}

const endpointOf = (): string => urlOf(process.env.HF_ENDPOINT ?? 'https://huggingface.co').href.replace(/\/+$/, '')

type Fields = Readonly<Record<string, unknown>>

/** A file as the hub's API has it, under the names of either of its lists. */
function factsOf(file: Fields): { readonly name: unknown; readonly size: unknown; readonly blob: string | null } {
  const lfs = (file.lfs ?? {}) as Fields
  const names = [lfs.sha256, lfs.oid, file.blobId, file.oid].filter((one): one is string => typeof one === 'string')
  return { name: file.rfilename ?? file.path, size: file.size, blob: names.find(isBlobName) ?? null }
}

/** The files of a list of the hub; what has no plain name and no size is no file to read. */
const filesOf = (listed: readonly Fields[], root: string): ListedFile[] =>
  listed.slice(0, MAX_FILES).flatMap((one) => {
    const { name, size, blob } = factsOf(one)
    if (typeof name !== 'string' || !isInside(name) || !Number.isSafeInteger(size) || (size as number) < 0) return []
    const url = `${root}/${name.split('/').map(encodeURIComponent).join('/')}`
    // A commit never changes: its files need no tag.
    return [{ name, url, size: size as number, tag: null, blob }]
  })

/** Asks the hub for the files of a revision. @throws AlbertkitError as `request`, `malformed` */
async function askHub({ repo, revision }: HubReference, token: string | undefined): Promise<Listing> {
  const endpoint = endpointOf()
  const api = `${endpoint}/api/models/${repo}`
  const url = `${api}/revision/${encodeURIComponent(revision)}?blobs=true`
  const { sha, siblings } = ((await jsonAt(url, token, MAX_LISTING)) ?? {}) as Fields
  if (typeof sha !== 'string' || !COMMIT.test(sha) || !Array.isArray(siblings))
    throw malformed('the hub answers with something else than a list of files', {
      code: 'header-invalid',
      file: url,
      hint: 'is HF_ENDPOINT the address of a hub?',
    })
  let listed = siblings as readonly Fields[]
  // Some mirrors give names alone.
  if (listed.some(({ size }) => size === undefined)) {
    const tree = await jsonAt(`${api}/tree/${sha}?recursive=true`, token, MAX_LISTING)
    if (Array.isArray(tree)) listed = (tree as readonly Fields[]).filter(({ type }) => type === 'file')
  }
  return { origin: { repo, revision, commit: sha }, files: filesOf(listed, `${endpoint}/${repo}/resolve/${sha}`) }
}

/** Notes in the cache which commit a revision is, as other tools do, and which files it has. */
function keep({ repo, revision }: HubReference, listing: Listing, home: HubHome): void {
  try {
    system.makeFolders(home.snapshot)
  } catch {
    return
  }
  keepListing(home.listing, { ...listing, origin: { repo } })
  const commit = listing.origin.commit ?? ''
  if (revision !== commit) keepText(joinDisk(home.repository, 'refs', ...revision.split('/')), commit)
}

/** The list that the cache has of a revision; null if it has none. */
function keptListing(reference: HubReference): Listing | null {
  const { repo, revision } = reference
  const snapshot = findSnapshot(reference)
  const listing = snapshot === null ? null : readListing(hubHome(repo, snapshot.commit).listing)
  return listing === null ? null : { ...listing, origin: { repo, revision, commit: snapshot!.commit } }
}

/**
 * The files of a revision: asked of the hub, unless it is a commit whose list is known. If the hub does not answer,
 * what is known of the revision counts.
 */
async function listingOf(reference: HubReference, token: string | undefined): Promise<Listing | null> {
  const kept = keptListing(reference)
  if (isOffline() || (kept !== null && COMMIT.test(reference.revision))) return kept
  try {
    const listing = await askHub(reference, token)
    keep(reference, listing, hubHome(reference.repo, listing.origin.commit ?? ''))
    return listing
  } catch (error) {
    if (kept !== null && error instanceof AlbertkitError && error.code === 'service-unavailable') return kept
    throw error
  }
}

/**
 * Files of a model on the hub, at the commit that its revision means now; null offline if the cache lacks its list.
 * @throws AlbertkitError `usage` if there is none, `environment` if the hub does not answer or refuses
 */
export async function hubPlace(reference: HubReference): Promise<RemotePlace | null> {
  const { repo, path } = reference
  const token = hubToken()
  const listing = await listingOf(reference, token)
  if (listing === null) return null
  const commit = listing.origin.commit ?? ''
  const { blobs, snapshot: links } = hubHome(repo, commit)
  const root = `hf:${repo}@${commit}`
  const remote = new RemoteFiles(root, new Fetcher())
  for (const listed of listing.files) {
    const { name, url, size, tag } = listed
    const facts = { url, token, size, tag, place: blobPlace(listed, { blobs, links, isShared: true }) }
    remote.add(name, new RemoteFile(facts, remote.fetcher))
  }
  const inside = path === '' ? root : `${root}/${path}`
  if (remote.port.stat(inside) === null)
    throw usage(`${repo} has no ${path === '' ? 'files' : path}${isOffline() ? ' in the local cache' : ''}`, {
      code: 'file-missing',
      file: `hf:${repo}`,
      hint: `it has ${
        listing.files
          .slice(0, 20)
          .map(({ name }) => name)
          .join(', ') || 'nothing'
      }`,
    })
  return {
    files: remote.port,
    path: inside,
    origin: { ...listing.origin, ...(path === '' ? {} : { path }) },
    fetch: (paths, wanted, keep) => fetchFolder(remote, paths, wanted, { links, keep }),
    close: () => {
      remote.leave()
    },
  }
}
