import { disposable } from '../../base/disposable.js'
import { disk, diskPath } from '../../files/disk.js'
import { wrapSource, type LocatedSource } from '../../formats/core/container.js'
import type { FilePort } from '../../formats/core/file-port.js'
import { openLocated } from '../../formats/core/open.js'
import type { OpenOptions, TensorSource } from '../../formats/core/source.js'
import { placeOf } from './place.js'
import type { ModelOrigin } from '../../hub/origin.js'
import { installContainment } from './containment.js'
import { loadNativeChecksums } from './native-checksums.js'

export interface OpenSourceOptions extends OpenOptions {
  /** The way to the files; default the disk. */
  readonly files?: FilePort
}

/** A path as the port knows it. */
export const portPath = (path: string, { files = disk }: Pick<OpenSourceOptions, 'files'>): string =>
  files === disk ? diskPath(path) : path

/** An open source, and where it came from: null if it was named by its path. */
export interface PlacedSource extends LocatedSource {
  readonly origin: ModelOrigin | null
}

/**
 * Opens the model file at `path`, and lists the directories that may hold its other files.
 * @throws AlbertkitError `malformed`, `unsupported` or `usage`
 */
export async function openWithPlaces(
  path: string,
  { files, ...options }: OpenSourceOptions = {},
): Promise<PlacedSource> {
  installContainment()
  loadNativeChecksums()
  const { close, origin, ...place } = await placeOf(path, files)
  try {
    const located = await openLocated(place.files, place.path, options)
    return { ...located, source: close === undefined ? located.source : wrapSource(located.source, { close }), origin }
  } catch (error) {
    close?.()
    throw error
  }
}

/**
 * Opens the model file that `path` means. Async, because some containers need a runtime that loads that way.
 * @throws AlbertkitError `malformed`, `unsupported` or `usage`
 */
export const openSource = async (path: string, options: OpenSourceOptions = {}): Promise<TensorSource & Disposable> =>
  disposable((await openWithPlaces(path, options)).source)
