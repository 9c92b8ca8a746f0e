import { basename, dirname, join as joinDisk } from 'node:path'
import { system } from '../../files/write-port.js'
import { environment } from '../../base/errors.js'
import type { RemoteFiles } from './remote-place.js'

/** Folder of a cache that has the names of a model's files, and whether they must stay there. */
export interface FetchTarget {
  readonly links: string
  readonly keep: 'lasting' | undefined
}

/**
 * Fetches files whole into the folder of the cache that has them by their names. Files that no cache keeps lie together
 * with the others in a temporary folder, which goes when the place is closed.
 * @param paths as the port of `remote` knows them
 * @param wanted what the path on the disk is asked of
 * @throws AlbertkitError `environment` if no cache keeps what must last
 */
export function fetchFolder(
  remote: RemoteFiles,
  paths: readonly string[],
  wanted: string,
  { links, keep }: FetchTarget,
): string {
  const { root } = remote
  const nameOf = (path: string): string => (path === root ? '' : path.slice(root.length + 1))
  const fetched = paths.map(nameOf).flatMap((name) => {
    const file = remote.get(name)?.fetchAll()
    return file === undefined ? [] : [{ name, file }]
  })
  const inLinks = (name: string): string => joinDisk(links, ...name.split('/').filter((part) => part !== ''))
  // A link may also be what an address had before.
  if (fetched.every(({ name, file }) => file === inLinks(name))) return inLinks(nameOf(wanted))
  if (keep === 'lasting')
    throw environment('what the server has cannot be kept: it gives no strong ETag, or the cache cannot be written', {
      code: 'file-unreadable',
      file: wanted,
      hint: 'fetch the model by other means, and give its path',
    })
  const folder = `${remote.fetcher.newFile()}-folder`
  for (const { name, file } of fetched) {
    const own = joinDisk(folder, ...name.split('/'))
    system.makeFolders(dirname(own))
    system.copy(file, joinDisk(dirname(own), basename(own)))
  }
  return joinDisk(
    folder,
    ...nameOf(wanted)
      .split('/')
      .filter((part) => part !== ''),
  )
}
