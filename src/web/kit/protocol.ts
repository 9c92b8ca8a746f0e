/// <reference lib="dom" />
import type { Failure } from '../../base/error-transfer.js'
import type { ProgressStep } from '../../base/abort.js'
import type { Operations } from './operations.js'

/** Messages between a page and the worker that runs albertkit. */

/** A file on a server whose size is known: nothing is asked for before it is read. */
export interface RemoteFile {
  readonly url: string
  readonly bytes: number
}

/** Contents of a file to be read: a blob, or a file on a server, by its address alone if it answers for ranges. */
export type FileContents = Blob | string | RemoteFile

/** Files by their paths below the name at which they are mounted; the path of a single file is empty. */
export type MountedFiles = readonly (readonly [path: string, contents: FileContents])[]

export type OperationName = keyof Operations

/** A file of the worker. */
export interface KitFile {
  /** Path relative to the folder that was asked for. */
  readonly path: string
  readonly bytes: number
}

/** What is asked of the files of a worker. */
export type FileRequest =
  | { readonly ask: 'mount'; readonly name: string; readonly files: MountedFiles }
  | { readonly ask: 'remove'; readonly path: string }
  | { readonly ask: 'list'; readonly path: string }
  | { readonly ask: 'read'; readonly path: string; readonly offset: number; readonly length: number }
  | { readonly ask: 'checksum'; readonly path: string }

export type KitRequest =
  | { readonly ask: 'start'; readonly runtimes: string }
  | { readonly ask: 'abort'; readonly of: number }
  | { readonly ask: 'run'; readonly operation: OperationName; readonly values: readonly unknown[] }
  | FileRequest

export type NumberedRequest = KitRequest & { readonly id: number }

/** An answer to the request with that number; progress comes before it. */
export type KitAnswer = NumberedAnswer | Deadline

/** What runs now must be done in so many milliseconds; null once it is. */
export interface Deadline {
  readonly deadline: number | null
}

export type NumberedAnswer = { readonly id: number } & (
  { readonly result: unknown } | { readonly failure: Failure } | { readonly step: ProgressStep }
)
