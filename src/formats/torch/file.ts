import type { RangedFile } from '../core/file.js'
import type { PickleValue } from '../pickle/values.js'
import type { TorchStorage } from './globals.js'

/** Position of the bytes of a storage in its file. */
export interface StoragePlace {
  readonly offset: number
  readonly bytes: number
  /** CRC-32 of the bytes, null if the file has none. */
  readonly crc32: number | null
}

/** A PyTorch file of either format, its pickle read and its storages found. */
export interface TorchFile {
  readonly file: RangedFile
  readonly root: PickleValue
  readonly places: ReadonlyMap<string, StoragePlace>
  readonly storages: ReadonlyMap<string, TorchStorage>
  readonly bigEndian: boolean
  readonly notes: readonly string[]
}
