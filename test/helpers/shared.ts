import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe } from 'vitest'

/** Fixtures beside the project: a clone without them passes its tests, and says what it left out. */
export const SHARED = fileURLToPath(new URL('../../../shared/fixtures/', import.meta.url))
export const hasShared = existsSync(SHARED)

/** The bundled model. */
export const ZH_NEWS = fileURLToPath(new URL('../../fixtures/zh-news', import.meta.url))

if (!hasShared) console.warn('../shared/fixtures is absent: the tests on its checkpoints are skipped')

/** A group of tests that need `../shared/fixtures`. */
export const describeShared = describe.skipIf(!hasShared)

/** Folders of `../shared/fixtures/<group>` that hold a file called `file`. */
export function fixtures(group: 'tf' | 'hf', file: string): string[] {
  if (!hasShared) return []
  return readdirSync(join(SHARED, group)).filter((name) => existsSync(join(SHARED, group, name, file)))
}

/** The goldens of a fixture's folder. */
export const goldensIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => /^golden.*\.safetensors$/.test(name))
    .map((name) => join(folder, name))
