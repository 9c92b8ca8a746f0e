import * as Flags from '@oclif/core/flags'
import type { ParamsOptions } from '../../api/params/params.js'
import { usage } from '../../base/errors.js'
import { HEAD_NAMES, type HeadName } from '../../model/tasks.js'
import type { Sharing } from '../../model/accounting/slots.js'

/** Flags of `params` that select the sizes to count. */

const words = (text: string): string[] =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')

function positive(flag: string, text: string): number {
  const n = Number(text)
  if (!Number.isSafeInteger(n) || n < 1 || n > 2 ** 31 - 1)
    throw usage(`--${flag} takes whole numbers of at least 1, not ${text}`, { code: 'option-invalid' })
  return n
}

/** Flag for a comma-separated list of sizes, e.g. `64,128`. */
const sizes = (flag: string, description: string) =>
  Flags.custom<number[]>({
    description,
    helpValue: 'N,…',
    helpGroup: 'WHAT IF',
    // eslint-disable-next-line @typescript-eslint/require-await -- oclif's parsers are async
    parse: async (text) => {
      const list = words(text).map((word) => positive(flag, word))
      if (list.length === 0) throw usage(`--${flag} takes numbers separated by commas`, { code: 'option-invalid' })
      return list
    },
  })()

/** Flag for a comma-separated list of names, each one of `allowed` if that is given. */
const names = (flag: string, description: string, helpValue: string, helpGroup?: string, allowed?: readonly string[]) =>
  Flags.custom<string[]>({
    description,
    helpValue,
    ...(helpGroup === undefined ? {} : { helpGroup }),
    // eslint-disable-next-line @typescript-eslint/require-await -- oclif's parsers are async
    parse: async (text) => {
      const list = words(text)
      const wrong = list.find((word) => allowed !== undefined && !allowed.includes(word))
      if (list.length === 0 || wrong !== undefined)
        throw usage(
          `--${flag} takes ${(allowed ?? ['names']).join(', ')}${wrong === undefined ? '' : `, not ${wrong}`}`,
          { code: 'option-invalid' },
        )
      return list
    },
  })()

export const whatIfFlags = {
  preset: names('preset', 'published sizes: albert-base, albert-tiny-zh, bert-large …', 'NAME,…'),
  compare: names('compare', 'presets and models to compare with', 'NAME,…'),
  heads: names(
    'heads',
    `heads of a preset or configuration: ${HEAD_NAMES.join(', ')}`,
    'NAME,…',
    undefined,
    HEAD_NAMES,
  ),
  labels: Flags.integer({ description: 'classes of the classifier', min: 1, helpValue: 'N' }),
  sequence: Flags.integer({
    description: 'tokens per row; default 128, or the largest length of the model',
    min: 1,
    helpValue: 'N',
  }),
  batch: Flags.integer({ description: 'rows', min: 1, default: 1, helpValue: 'N' }),
  'value-bits': Flags.string({ description: 'bits per value', options: ['32', '16'], default: '32' }),
  'embedding-size': sizes('embedding-size', 'other embedding sizes E'),
  hidden: sizes('hidden', 'other hidden sizes H; heads keep their width, I its ratio to H'),
  layers: sizes('layers', 'other numbers of layers L'),
  vocab: sizes('vocab', 'other vocabulary sizes V'),
  groups: sizes('groups', 'other numbers of groups G'),
  share: names('share', 'parameters that layers share: all, attention, ffn, none', 'WHAT,…', 'WHAT IF', [
    'all',
    'attention',
    'ffn',
    'none',
  ]),
}

interface ParamsFlags {
  readonly config?: string | undefined
  readonly checksum: boolean
  readonly preset?: string[] | undefined
  readonly compare?: string[] | undefined
  readonly heads?: string[] | undefined
  readonly labels?: number | undefined
  readonly sequence?: number | undefined
  readonly batch: number
  readonly 'value-bits': string
  readonly 'embedding-size'?: number[] | undefined
  readonly hidden?: number[] | undefined
  readonly layers?: number[] | undefined
  readonly vocab?: number[] | undefined
  readonly groups?: number[] | undefined
  readonly share?: string[] | undefined
}

/** Options of `countModels` for the arguments and flags. */
export function askedFor(models: readonly string[], flags: ParamsFlags): ParamsOptions {
  const alone = models.length === 0
  return {
    checksum: flags.checksum,
    models,
    ...(flags.config === undefined ? {} : alone ? { configs: [flags.config] } : { config: flags.config }),
    presets: flags.preset ?? [],
    compare: flags.compare ?? [],
    ...(flags.heads === undefined ? {} : { heads: flags.heads as HeadName[] }),
    ...(flags.labels === undefined ? {} : { labels: flags.labels }),
    workload: {
      batch: flags.batch,
      elementBytes: Number(flags['value-bits']) / 8,
      ...(flags.sequence === undefined ? {} : { sequence: flags.sequence }),
    },
    whatIf: {
      embeddingSizes: flags['embedding-size'] ?? [],
      hiddenSizes: flags.hidden ?? [],
      layers: flags.layers ?? [],
      vocabularies: flags.vocab ?? [],
      groups: flags.groups ?? [],
      sharings: (flags.share ?? []) as Sharing[],
    },
  }
}
