import type { AlbertkitError } from '../../base/errors.js'
import type { FilePort } from './file-port.js'
import type { FileKind } from './sniff.js'
import type { OpenOptions, SourceGraph, TensorSource } from './source.js'

/**
 * What a container is to the rest of formats/: it says which paths and directories it recognises, and opens what it
 * found. A new container is a module that exports one of these, and a line in `containers.ts`.
 */
export interface Container {
  /** What a message calls it, after "a model is …": `safetensors (.safetensors)`. */
  readonly title: string
  /**
   * Recognises an existing file by its name; null where the name says nothing to this container.
   * @throws AlbertkitError where the name is its own but what belongs to it is absent
   */
  byName?(files: FilePort, path: string): Found | null
  /** Recognises an existing file by its first bytes, once no container knew its name. */
  byBytes?(files: FilePort, path: string, kind: FileKind): Found | null
  /** Recognises a path at which there is no file: the prefix of several files. */
  byPrefix?(files: FilePort, path: string): Found | null
  /**
   * Recognises what a directory holds, by the names in it (those of files and folders, unsorted).
   * @throws AlbertkitError `usage` where several models are there and none is marked
   */
  inDirectory?(files: FilePort, directory: string, names: readonly string[]): Found | null
  /** What to say of a directory in which no container found a model but a part of this one lies. */
  incomplete?(files: FilePort, directory: string, names: readonly string[]): AlbertkitError | null
}

/** A model that was found and not yet opened: finding reads names and a few bytes. */
export interface Found {
  /** Where configuration, vocabulary and labels may lie, the nearest first. */
  readonly directories: readonly string[]
  /** What a person should know about how it was found. */
  readonly notes: readonly string[]
  /**
   * Opens it. `openInner` opens what a container holds: the folder that an archive is, say.
   * @throws AlbertkitError
   */
  open(options: OpenOptions, openInner: OpenLocated): Opened | Promise<Opened>
}

/** An open source, and where else configuration and the rest may lie: before the `directories` of what was found. */
export interface Opened {
  readonly source: TensorSource
  readonly directories?: readonly string[]
  /** The way to them, if it is not the one to the container itself. */
  readonly files?: FilePort
}

/** An open source and the directories where configuration, vocabulary and labels may lie, the nearest first. */
export interface LocatedSource {
  readonly source: TensorSource
  /** The way to what lies there. */
  readonly files: FilePort
  readonly directories: readonly string[]
}

export type OpenLocated = (files: FilePort, path: string, options?: OpenOptions) => Promise<LocatedSource>

/** The same source with more to say (in notes, in metadata), and more to do when it is closed (removing what was unpacked, say). */
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
