import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { malformed, unsupported } from '../errors.js'
import type { Found } from './container.js'
import { CONTAINERS } from './containers.js'
import { fileError, isDirectory } from './file.js'
import { KIND_WORDS, sniff } from './sniff.js'

/** A model may lie this many folders down, where each holds one folder only (`module.tar.gz/module/1/…`). */
const MAX_NESTING = 3

const looked = (): string => CONTAINERS.map((container) => container.title).join(', ')

/** The first answer that is not null. */
function first<T>(ask: (container: (typeof CONTAINERS)[number]) => T | null | undefined): T | null {
  for (const container of CONTAINERS) {
    const answer = ask(container) ?? null
    if (answer !== null) return answer
  }
  return null
}

/** What file managers and downloaders leave in a folder: `.DS_Store`, `._model.ckpt.index`, `.cache`, `__MACOSX`. */
const isLitter = (name: string): boolean => name.startsWith('.') || name === '__MACOSX'

function locateInDirectory(directory: string, depth: number): Found {
  let names: string[]
  try {
    names = readdirSync(directory).filter((name) => !isLitter(name))
  } catch (error) {
    throw fileError(error, directory)
  }
  const found = first((container) => container.inDirectory?.(directory, names))
  if (found !== null) return found
  const incomplete = first((container) => container.incomplete?.(directory, names))
  if (incomplete !== null) throw incomplete
  const folders = names.filter((name) => isDirectory(join(directory, name)))
  const folder = folders[0]
  if (depth < MAX_NESTING && folders.length === 1 && folder !== undefined) {
    try {
      const inner = locateInDirectory(join(directory, folder), depth + 1)
      return {
        directories: [...inner.directories, directory],
        notes: [...inner.notes, `found in the folder ${folder}`],
        open: inner.open.bind(inner),
      }
    } catch {
      // Said below of the directory that was given.
    }
  }
  const other = names.find((name) => /\.(bin|pt|pth|h5|ckpt)$/.test(name))
  if (other !== undefined) refuse(join(directory, other))
  throw malformed('there is no model in the directory', { file: directory, hint: `looked for ${looked()}` })
}

/** Of a file that is none we read: what it is instead. */
function refuse(path: string): never {
  const kind = sniff(path)
  const said = `the file is ${KIND_WORDS[kind]}`
  const hint = `a model is one of: ${looked()}`
  if (kind === 'zip' || kind === 'gzip' || kind === 'hdf5' || kind === 'pickle')
    throw unsupported(`${said}, but of no form that albertkit reads`, { file: path, hint })
  throw malformed(kind === 'unknown' || kind === 'empty' ? `${said}, no model` : `${said}, not a model`, {
    file: path,
    hint,
  })
}

/**
 * Finds the model that a path means: a directory, a file, or a checkpoint's prefix. What a path may be is for the
 * containers to say (`containers.ts`): by a file's name first, then by its bytes.
 * @throws AlbertkitError `malformed`, `unsupported`, or `usage` where the choice is not clear
 */
export function locate(path: string): Found {
  if (isDirectory(path)) return locateInDirectory(path, 1)
  if (!existsSync(path)) {
    const prefix = first((container) => container.byPrefix?.(path))
    if (prefix !== null) return prefix
    throw malformed('there is no such file, directory or checkpoint prefix', { file: path })
  }
  const named = first((container) => container.byName?.(path))
  if (named !== null) return named
  const kind = sniff(path)
  return first((container) => container.byBytes?.(path, kind)) ?? refuse(path)
}
