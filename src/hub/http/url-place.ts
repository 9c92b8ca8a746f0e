import { createHash } from 'node:crypto'
import { join as joinDisk } from 'node:path'
import { malformed } from '../../base/errors.js'
import { exists } from '../../formats/core/file-port.js'
import { addressCache, isOffline } from '../cache.js'
import { inParallel } from '../../base/in-parallel.js'
import { isInside, keepListing, readListing } from '../listing.js'
import { Fetcher } from './fetcher.js'
import { fetchFolder } from './fetch-folder.js'
import { lookAt, lookFor, type Looked } from './look.js'
import { RemoteFiles, type CacheHome, type RemotePlace } from './remote-place.js'
import { urlOf } from './request.js'
import { statusError } from './status.js'
import { pageAt } from './texts.js'
import { UrlFiles } from './url-files.js'
import { BESIDE, isArchive, MODELS, namesIn, safeDecode } from './usual-names.js'

/** A page of a folder with links; a longer one is something else. */
const MAX_PAGE = 1 << 20
/** Questions to a server at a time. */
const AT_ONCE = 8

/** What an address names: a file of a folder, or the folder. */
interface Address {
  /** The address as it is asked for, with its query. */
  readonly url: URL
  readonly folder: URL
  /** Name of the file; null of a folder. */
  readonly name: string | null
}

const withSlash = ({ origin, pathname }: URL): URL => new URL(`${pathname.replace(/\/+$/, '')}/`, origin)

function fileAt(url: URL, name: string): Address {
  return { url, folder: new URL('.', url.origin + url.pathname), name }
}

/** Name of the file at an address: that of the server if it gives one, else the last part. */
const nameOf = ({ pathname }: URL, looked: Looked): string =>
  [looked.name ?? '', safeDecode(pathname.slice(pathname.lastIndexOf('/') + 1))].find(isInside) ?? 'model'

/** Where files of an address lie in the cache: links into blobs, as in that of the hub (formats/core/confined.ts). */
function homeOf(folder: URL): CacheHome & { readonly home: string } {
  const key = createHash('sha256').update(folder.href).digest('hex').slice(0, 16)
  const home = joinDisk(addressCache(), 'http', `${folder.hostname.replace(/[^\w.-]/g, '_')}-${key}`)
  return { home, blobs: joinDisk(home, 'blobs'), links: joinDisk(home, 'snapshots', 'files'), isShared: false }
}

/** Looks for names of a folder, several at a time. */
async function lookAll(files: UrlFiles, names: readonly string[]): Promise<void> {
  const waiting = [...new Set(names)].filter((name) => !files.isKnown(name))
  const found = new Map<string, Looked | null>()
  await inParallel(waiting, AT_ONCE, async (name) => {
    found.set(name, await lookFor(files.urlOf(name)))
  })
  // In the order of their names: answers come in any.
  for (const [name, looked] of [...found].sort(([a], [b]) => (a < b ? -1 : 1))) files.found(name, looked)
}

/** Names of a folder: those that a page of it leads to, else those that are usual. */
async function namesOf(folder: URL): Promise<readonly string[]> {
  try {
    const names = namesIn((await pageAt(folder.href, MAX_PAGE)) ?? '', folder)
    if (names.length > 0) return names
  } catch {
    // A folder need not have a page.
  }
  return [...MODELS, ...BESIDE]
}

/** What an address without an ending is: the file that is there, else a folder. */
async function resolve(url: URL): Promise<{ readonly address: Address; readonly looked: Looked | null }> {
  if (url.pathname.endsWith('/')) return { address: { url, folder: withSlash(url), name: null }, looked: null }
  const hasEnding = /\.[A-Za-z0-9_-]+$/.test(url.pathname)
  const looked = hasEnding ? await lookAt(url.href) : await lookFor(url.href)
  if (looked === null) return { address: { url, folder: withSlash(url), name: null }, looked }
  if (looked.isPage && /\.html?$/i.test(url.pathname)) {
    const folder = new URL('.', url.origin + url.pathname)
    return { address: { url, folder, name: null }, looked: null }
  }
  return { address: fileAt(url, nameOf(url, looked)), looked }
}

/** A place whose files were found in an earlier command; null if there is none. */
function keptPlace(url: URL): RemotePlace | null {
  const [asFile, asFolder] = [fileAt(url, ''), { url, folder: withSlash(url), name: null }]
  for (const address of [asFolder, asFile]) {
    const kept = readListing(listingFile(address))
    if (kept === null) continue
    const files = filesAt(address)
    for (const file of kept.files) files.add(file)
    const name = kept.origin.path ?? null
    return placeAt({ ...address, name }, files, kept.origin.tag ?? null)
  }
  return null
}

const listingFile = ({ url, folder }: Address): string =>
  joinDisk(homeOf(folder).home, 'places', `${createHash('sha256').update(url.href).digest('hex').slice(0, 20)}.json`)

function filesAt({ url, folder, name }: Address): UrlFiles {
  const root = folder.href.replace(/\/+$/, '')
  const beside = (one: string): string => `${root}/${one.split('/').map(encodeURIComponent).join('/')}`
  return new UrlFiles(new RemoteFiles(root, new Fetcher()), homeOf(folder), (one) =>
    one === name ? url.href : beside(one),
  )
}

function placeAt(address: Address, files: UrlFiles, tag: string | null): RemotePlace {
  const { url, name } = address
  const { remote, home } = files
  const path = name === null ? remote.root : `${remote.root}/${name}`
  return {
    files: files.port,
    path,
    origin: { url: url.origin + url.pathname, ...(tag === null ? {} : { tag }) },
    fetch: (paths, wanted, keep) => fetchFolder(remote, paths, wanted, { links: home.links, keep }),
    close: () => {
      const origin = { url: url.href, ...(tag === null ? {} : { tag }), ...(name === null ? {} : { path: name }) }
      if (!isOffline()) keepListing(listingFile(address), { origin, files: files.listed })
      remote.leave()
    },
  }
}

/** Looks for the files of an address. @returns the ETag of the model's file; null if there is none */
async function lookAround(
  { name, folder, url }: Address,
  looked: Looked | null,
  files: UrlFiles,
): Promise<string | null> {
  if (name === null) {
    await lookAll(files, await namesOf(folder))
    if (files.listed.length === 0) throw statusError(url.href, 404)
  } else {
    files.found(name, looked)
    if (!isArchive(name)) await lookAll(files, BESIDE)
  }
  const main = files.listed.find((one) => (name === null ? MODELS.includes(one.name) : one.name === name))
  return main?.tag ?? null
}

/**
 * Files at an address: a file and those beside it, a folder, an archive; null offline if nothing of it is in the cache.
 * @throws AlbertkitError `usage` if nothing is there, `environment` if the server does not answer or refuses
 */
export async function urlPlace(text: string): Promise<RemotePlace | null> {
  const url = urlOf(text)
  url.hash = ''
  if (isOffline()) return keptPlace(url)
  const { address, looked } = await resolve(url)
  const files = filesAt(address)
  try {
    const tag = await lookAround(address, looked, files)
    const place = placeAt(address, files, tag)
    if (!exists(place.files, place.path))
      throw malformed('there is nothing to read at the address', { code: 'file-missing', file: text })
    return place
  } catch (error) {
    files.remote.leave()
    throw error
  }
}
