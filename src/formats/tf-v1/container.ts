import { usage } from '../../base/errors.js'
import type { Container, Found } from '../core/container.js'
import type { FilePort } from '../core/file-port.js'
import { basename, dirname, join } from '../core/paths.js'
import { withMeta } from '../tf-bundle/meta.js'
import { mayBeV1, v1Files, v1Names } from './find.js'
import { openV1 } from './source.js'

export const foundV1 = (files: FilePort, paths: readonly string[]): Found => ({
  directories: [dirname(paths[0] ?? '.')],
  notes: [],
  open: (options) => ({ source: withMeta(files, metaOf(paths[0] ?? ''), openV1(files, paths, options)) }),
})

/** Path of the `.meta` file: the name of the checkpoint without the number of a shard. */
const metaOf = (path: string): string => `${path.replace(/-\d{5}-of-\d{5}$/, '')}.meta`

/** The V1 checkpoint at a path; null if there is none. */
function foundAt(files: FilePort, path: string): Found | null {
  const paths = v1Files(files, path)
  return paths === null ? null : foundV1(files, paths)
}

export const tfV1: Container = {
  title: 'a TensorFlow V1 checkpoint (one file, or files named -00000-of-00003)',
  byName: (files, path) =>
    /-\d{5}-of-\d{5}$/.test(basename(path)) && mayBeV1(files, path) ? foundAt(files, path) : null,
  byBytes: (files, path, kind) =>
    (kind === 'unknown' || kind === 'text') && mayBeV1(files, path) ? foundAt(files, path) : null,
  byPrefix: (files, path) => foundAt(files, path),
  inDirectory(files, directory, names) {
    const checkpoints = v1Names(files, directory, names)
    const [only] = checkpoints
    if (only === undefined) return null
    if (checkpoints.length === 1) return foundAt(files, join(directory, only))
    throw usage(`${directory} holds several checkpoints: ${checkpoints.join(', ')}`, {
      code: 'choice-ambiguous',
      hint: 'give the one you mean by its prefix',
    })
  },
}
