import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** A commit, as the hub names them. */
export const COMMIT = '0123456789abcdef0123456789abcdef01234567'

/**
 * Puts the files of a folder into a cache as huggingface_hub lays it out: blobs, a snapshot of links to them, a ref.
 * @returns the folder of the snapshot
 */
export function fillCache(
  cache: string,
  repo: string,
  source: string,
  { commit = COMMIT, revision = 'main', subfolder = '' } = {},
): string {
  const home = join(cache, `models--${repo.replaceAll('/', '--')}`)
  const snapshot = join(home, 'snapshots', commit)
  const ref = join(home, 'refs', ...revision.split('/'))
  for (const folder of [join(home, 'blobs'), join(snapshot, subfolder), dirname(ref)])
    mkdirSync(folder, { recursive: true })
  writeFileSync(ref, commit)
  readdirSync(source).forEach((name, i) => {
    const blob = join(home, 'blobs', `${commit.slice(0, 30)}${String(i).padStart(10, '0')}`)
    const link = join(snapshot, subfolder, name)
    cpSync(join(source, name), blob)
    symlinkSync(relative(dirname(link), blob), link)
  })
  return snapshot
}
