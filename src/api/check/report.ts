import type { FileStatus } from '../open/manifest-files.js'

/** A file that the manifest lists. */
export interface CheckedFile {
  /** Path relative to the directory. */
  readonly name: string
  /** Key of the artefact that it belongs to; null for files next to the artefacts: configuration, tokenizer. */
  readonly artefact: string | null
  readonly status: FileStatus
}

/** A file of the directory that the manifest does not list. */
export interface UnlistedFile {
  readonly name: string
  /** True if it has the place and the name of a model file, so that programs would load it. */
  readonly isModel: boolean
}

/** Result of `checkDirectory`. */
export interface CheckReport {
  /** True if every listed file is as it was written, and no other file looks like a model. */
  readonly ok: boolean
  readonly directory: string
  /** Version of albertkit that wrote the manifest. */
  readonly albertkit: string
  readonly files: readonly CheckedFile[]
  readonly unlisted: readonly UnlistedFile[]
  /** Contents of the source that the conversion left out. */
  readonly notes: readonly string[]
}
