import { createHash } from 'node:crypto'
import { AlbertkitError, malformed } from '../../base/errors.js'
import { readText } from '../../formats/core/file.js'
import type { FilePort } from '../../formats/core/file-port.js'
import type { Shard } from '../../sharding/line-index.js'
import * as z from '../../vendor/zod.js'
import { checkSettings, SETTING_NAMES, SETTINGS, type SettingName, type Settings } from '../finetune/settings.js'

/** Trials of a sweep: each is a whole training run, and more than this are a mistake in the grid. */
const MAX_TRIALS = 10_000

const value = z.union([z.string(), z.number(), z.boolean()])
const grid = z.record(z.string(), z.union([value, z.array(value)]))
const GRID = z.union([grid, z.array(grid)])
type Grid = z.Infer<typeof grid>

const HINT =
  'a grid is a JSON object of lists, {"learning_rate": [1e-5, 5e-5], "seed": [0, 1]}, or a list of such objects'

/** Name of a setting however it is spelt: `learning_rate`, `learning-rate`, `learningRate`. */
const nameOf = (text: string): string => text.replace(/[-_]([a-z])/g, (_, letter: string) => letter.toUpperCase())

function settingOf(text: string, file: string): SettingName {
  const name = nameOf(text)
  if (Object.hasOwn(SETTINGS, name)) return name as SettingName
  throw malformed(`a sweep cannot vary ${text}`, {
    code: 'config-invalid',
    file,
    field: text,
    hint: `it varies ${SETTING_NAMES.join(', ')}`,
  })
}

/** Every combination of the values of an object of lists; the last list changes fastest. */
function combinations(object: Grid, file: string): Settings[] {
  let trials: Record<string, unknown>[] = [{}]
  for (const [text, values] of Object.entries(object)) {
    const name = settingOf(text, file)
    const list = Array.isArray(values) ? values : [values]
    const size = trials.length * list.length
    if (size === 0 || size > MAX_TRIALS)
      throw malformed(size === 0 ? `the list of ${text} is empty` : `the grid has over ${MAX_TRIALS} trials`, {
        code: size === 0 ? 'config-invalid' : 'limit-exceeded',
        file,
        field: text,
      })
    trials = trials.flatMap((trial) => list.map((one) => ({ ...trial, [name]: one })))
  }
  for (const trial of trials) {
    if (Object.keys(trial).length === 0)
      throw malformed('a trial of the grid has no settings', { code: 'config-invalid', file, hint: HINT })
    checkTrial(trial, file)
  }
  return trials
}

function checkTrial(trial: Settings, file: string): void {
  try {
    checkSettings(trial)
  } catch (error) {
    if (!(error instanceof AlbertkitError)) throw error
    throw malformed(`in the grid, ${error.message}`, { code: 'config-invalid', file, cause: error })
  }
}

/**
 * Reads the settings of every trial from a grid file.
 * @throws AlbertkitError `malformed` naming the field
 */
export function readGrid(files: FilePort, file: string): readonly Settings[] {
  let contents: unknown
  try {
    contents = JSON.parse(readText(files, file))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw malformed(`the grid is not JSON: ${error.message}`, { code: 'config-invalid', file, hint: HINT })
  }
  const parsed = GRID.safeParse(contents)
  if (!parsed.success) throw malformed('the file is not a grid', { code: 'config-invalid', file, hint: HINT })
  const objects = Array.isArray(parsed.data) ? parsed.data : [parsed.data]
  const trials = objects.flatMap((object) => combinations(object, file))
  if (trials.length === 0 || trials.length > MAX_TRIALS)
    throw malformed(`the grid has ${trials.length === 0 ? 'no' : `over ${MAX_TRIALS}`} trials`, {
      code: trials.length === 0 ? 'config-invalid' : 'limit-exceeded',
      file,
      hint: HINT,
    })
  const different = new Set(trials.map((trial) => JSON.stringify(Object.entries(trial).sort())))
  if (different.size < trials.length)
    throw malformed('the grid has the same trial twice', { code: 'config-invalid', file, hint: HINT })
  return trials
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Shards of a sweep, one a trial: the lines of the trials' settings as JSON, however the grid file spells them. */
export function shardsOf(trials: readonly Settings[]): {
  readonly input: { readonly sha256: string; readonly bytes: number; readonly lines: number }
  readonly shards: readonly Shard[]
} {
  const lines = trials.map((trial) => `${JSON.stringify(trial)}\n`)
  const text = lines.join('')
  let offset = 0
  const shards = lines.map((line, index): Shard => {
    const bytes = Buffer.byteLength(line)
    const shard = { index, count: lines.length, offset, bytes, firstLine: index + 1, lines: 1, sha256: sha256(line) }
    offset += bytes
    return shard
  })
  return { input: { sha256: sha256(text), bytes: offset, lines: lines.length }, shards }
}
