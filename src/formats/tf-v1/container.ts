import { basename, dirname, join } from 'node:path'
import { usage } from '../../base/errors.js'
import type { Container, Found } from '../core/container.js'
import { withMeta } from '../tf-bundle/meta.js'
import { mayBeV1, v1Files, v1Names } from './find.js'
import { openV1 } from './source.js'

export const foundV1 = (paths: readonly string[]): Found => ({
  directories: [dirname(paths[0] ?? '.')],
  notes: [],
  open: (options) => ({ source: withMeta(metaOf(paths[0] ?? ''), openV1(paths, options)) }),
})

/** The graph has the name of the checkpoint, without the number of a shard. */
const metaOf = (path: string): string => `${path.replace(/-\d{5}-of-\d{5}$/, '')}.meta`

const orNull = (paths: readonly string[] | null): Found | null => (paths === null ? null : foundV1(paths))

export const tfV1: Container = {
  title: 'a TensorFlow V1 checkpoint (one file, or files named -00000-of-00003)',
  byName: (path) => (/-\d{5}-of-\d{5}$/.test(basename(path)) && mayBeV1(path) ? orNull(v1Files(path)) : null),
  byBytes: (path, kind) => ((kind === 'unknown' || kind === 'text') && mayBeV1(path) ? orNull(v1Files(path)) : null),
  byPrefix: (path) => orNull(v1Files(path)),
  inDirectory(directory, names) {
    const checkpoints = v1Names(directory, names)
    const [only] = checkpoints
    if (only === undefined) return null
    if (checkpoints.length === 1) return orNull(v1Files(join(directory, only)))
    throw usage(`${directory} holds several checkpoints: ${checkpoints.join(', ')}`, {
      hint: 'give the one you mean by its prefix',
    })
  },
}
