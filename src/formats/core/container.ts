import type { AlbertkitError } from '../../base/errors.js'
import type { FilePort } from './file-port.js'
import type { FileKind } from './sniff.js'
import type { OpenOptions, SourceGraph, TensorSource } from './source.js'

/**
 * A file format, or a layout of several files, that holds a model: recognises paths and directories, and opens what it
 * recognised. A new container is a module that exports one of these, and a line in `containers.ts`.
 */
export interface Container {
  /** Name for messages, after "a model is …": `safetensors (.safetensors)`. */
  readonly title: string
  /**
   * Recognises an existing file by its name; null if the name is not one of this container.
   * @throws AlbertkitError if the name is recognised but files that belong to it are absent
   */
  byName?(files: FilePort, path: string): Found | null
  /** Recognises an existing file by its first bytes, once no container knew its name. */
  byBytes?(files: FilePort, path: string, kind: FileKind): Found | null
  /** Recognises a path at which there is no file: the common prefix of several files. */
  byPrefix?(files: FilePort, path: string): Found | null
  /**
   * Recognises the contents of a directory by the names of its files and folders (unsorted).
   * @throws AlbertkitError `usage` if there are several models and none is marked
   */
  inDirectory?(files: FilePort, directory: string, names: readonly string[]): Found | null
  /** Error for a directory without a model that holds a part of this container; null if it holds none. */
  incomplete?(files: FilePort, directory: string, names: readonly string[]): AlbertkitError | null
}

/** A model that was found but not yet opened: finding reads only names and a few bytes. */
export interface Found {
  /** Directories to search for configuration, vocabulary and labels, nearest first. */
  readonly directories: readonly string[]
  /** Remarks for the user on how the model was found. */
  readonly notes: readonly string[]
  /**
   * Opens the model. `openInner` opens a model inside of the container, e.g. in the folder that an archive holds.
   * @throws AlbertkitError
   */
  open(options: OpenOptions, openInner: OpenLocated): Opened | Promise<Opened>
}

/** An open source, and further directories to search before the `directories` of the `Found`. */
export interface Opened {
  readonly source: TensorSource
  readonly directories?: readonly string[]
  /** Port to these directories, if it is not the port of the container itself. */
  readonly files?: FilePort
}

/** An open source and the directories to search for configuration, vocabulary and labels, nearest first. */
export interface LocatedSource {
  readonly source: TensorSource
  /** Port to the directories. */
  readonly files: FilePort
  readonly directories: readonly string[]
}

export type OpenLocated = (files: FilePort, path: string, options?: OpenOptions) => Promise<LocatedSource>

/** The same source with further notes, other metadata or graph, and further work on close. */
export const wrapSource = (
  source: TensorSource,
  {
    notes = [],
    metadata = source.metadata,
    graph = source.graph,
    close,
  }: {
    readonly graph?: SourceGraph | undefined
    readonly notes?: readonly string[]
    readonly metadata?: ReadonlyMap<string, string> | undefined
    readonly close?: () => void
  },
): TensorSource => ({
  format: source.format,
  files: source.files,
  tensors: source.tensors,
  notes: [...source.notes, ...notes],
  ...(metadata === undefined ? {} : { metadata }),
  ...(graph === undefined ? {} : { graph }),
  missingFiles: source.missingFiles ?? [],
  read: (name, offset, target) => {
    source.read(name, offset, target)
  },
  verifyChecksum: (name) => {
    source.verifyChecksum(name)
  },
  close: () => {
    try {
      source.close()
    } finally {
      close?.()
    }
  },
})
