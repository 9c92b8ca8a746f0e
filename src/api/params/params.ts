import { disk, diskPath } from '../../files/disk.js'
import { AlbertkitError, usage } from '../../base/errors.js'
import { DTYPE_BYTES, elementCount } from '../../formats/core/source.js'
import { accountOf } from '../../model/accounting/account.js'
import { parseConfig, type ModelConfig } from '../../model/config.js'
import { footprintOf, type Workload } from '../../model/accounting/footprint.js'
import { polynomial, showFormula } from '../../model/accounting/formula.js'
import { guessFamily } from '../../model/names/guess-family.js'
import { countParameters } from '../../model/accounting/count.js'
import { findPreset, presetHint } from '../../model/accounting/presets.js'
import {
  slotDifferences,
  slotOptionsOf,
  slotsIn,
  slotsOf,
  type Slot,
  type SlotOptions,
} from '../../model/accounting/slots.js'
import type { HeadName } from '../../model/tasks.js'
import { sharingOf, whatIfs, type WhatIf } from '../../model/accounting/what-if.js'
import { readConfigFile } from '../open/config-file.js'
import { distinctNames } from '../distinct-names.js'
import type { OpenModelOptions } from '../open/open.js'
import type { BytesByDtype, PaperReport, ParamsColumn, ParamsReport } from './report.js'
import { factorisationExample, paperTables, VARIANTS, PAPER_FINDINGS } from '../../model/accounting/paper.js'

/** Models to count, and the workload to cost. */
export interface ParamsOptions extends OpenModelOptions {
  /** Paths of models. */
  readonly models?: readonly string[]
  readonly presets?: readonly string[]
  /** Paths of configurations without weights. */
  readonly configs?: readonly string[]
  /** Presets or paths, listed in this order after the others. */
  readonly compare?: readonly string[]
  /** Other sizes for the first model. */
  readonly whatIf?: WhatIf
  /** Heads of models that exist only as a configuration; default: no heads, as in the paper. */
  readonly heads?: readonly HeadName[]
  readonly labels?: number
  readonly workload?: Partial<Workload>
}

const DEFAULT_WORKLOAD: Workload = { batch: 1, sequence: 128, elementBytes: 4 }

type ColumnHead = Pick<ParamsColumn, 'name' | 'origin' | 'notes'>

function toColumn(head: ColumnHead, config: ModelConfig, options: SlotOptions, slots: readonly Slot[], work: Workload) {
  const { vocab_size: V, embedding_size: E, hidden_size: H, architecture } = config
  const { lines, parts, stored, used } = accountOf(slots)
  const unfactorised = V * H
  const projection = lines.some((l) => l.key === 'embeddings/projection')
  const factorised = V * E + (projection ? E * H : 0)
  const widths = Object.entries(DTYPE_BYTES).filter(([dtype]) => ['F32', 'F16', 'BF16', 'I8'].includes(dtype))
  const column: ParamsColumn = {
    ...head,
    config,
    sharing: sharingOf(config, options),
    heads: [...(options.heads ?? [])],
    embedding: {
      V,
      E,
      H,
      unfactorised,
      factorised,
      ratio: unfactorised / factorised,
      symbols: { unfactorised: 'V·H', factorised: projection ? 'V·E + E·H' : architecture === 'bert' ? 'V·H' : 'V·E' },
    },
    formula: showFormula(polynomial(slots)),
    lines,
    parts,
    stored,
    used,
    bytes: Object.fromEntries(widths.map(([dtype, width]) => [dtype, width * stored])) as unknown as BytesByDtype,
    fileBytes: null,
    footprint: footprintOf(config, slots, work),
    agreement: null,
  }
  return column
}

/** Counted model and the head of its column. */
interface Counted {
  readonly column: ParamsColumn
  readonly config: ModelConfig
  readonly options: SlotOptions
}

function fromConfig(head: ColumnHead, config: ModelConfig, options: SlotOptions, work: Workload): Counted {
  return { column: toColumn(head, config, options, slotsOf(config, options), work), config, options }
}

function fromPreset(name: string, options: SlotOptions, work: Workload): Counted {
  const preset = findPreset(name)
  if (preset === null)
    throw usage(`there is no preset called ${name}`, { code: 'name-unknown', hint: presetHint(name) })
  return fromConfig({ name: preset.name, origin: 'preset', notes: [] }, preset.config, options, work)
}

function fromConfigFile(file: string, name: string, options: SlotOptions, work: Workload): Counted {
  const raw = readConfigFile(disk, diskPath(file))
  const { family, architecture, reason } = guessFamily(raw)
  const head: ColumnHead = { name, origin: 'config', notes: [`read as ${family}: ${reason}`] }
  return fromConfig(head, parseConfig(raw, family, architecture), options, work)
}

const isMissing = (error: unknown, path: string): error is AlbertkitError =>
  error instanceof AlbertkitError && error.code === 'file-missing' && error.place.file === path

async function fromModel(path: string, name: string, options: OpenModelOptions, work: Workload): Promise<Counted> {
  // Loaded lazily: presets need no readers of files, whose import takes longer than counting.
  const { openModel } = await import('../open/open.js')
  const opened = await openModel(path, options).catch((error: unknown) => {
    throw isMissing(error, path) && findPreset(path) !== null
      ? error.with({ hint: `that is the name of a published size: \`presets\` ${path} counts it` })
      : error
  })
  const { model, source } = opened
  try {
    const slotOptions = slotOptionsOf(model)
    const slots = slotsIn(model)
    const head: ColumnHead = { name, origin: 'file', notes: opened.leftOut }
    const column = toColumn(head, model.config, slotOptions, slots, work)
    const agreement = { slots: slots.length, differences: slotDifferences(model) }
    return {
      column: { ...column, fileBytes: countParameters(model, source).bytes, agreement },
      config: model.config,
      options: slotOptions,
    }
  } finally {
    opened.close()
  }
}

function checkWork({ batch, sequence }: Workload, columns: readonly ParamsColumn[]): void {
  if (![batch, sequence].every((n) => Number.isSafeInteger(n) && n >= 1))
    throw usage(`batch and sequence must be positive integers, not ${batch} and ${sequence}`, {
      code: 'option-invalid',
    })
  for (const { name, config } of columns)
    if (sequence > config.max_position_embeddings)
      throw usage(
        `${name} has ${config.max_position_embeddings} positions, but ${sequence} tokens per row were requested`,
        { code: 'sequence-too-long' },
      )
}

/**
 * Counts the parameters of models, presets, configurations and what-ifs, and the cost of running them.
 * @throws AlbertkitError `usage` if there is nothing to count or a size is invalid; as `openModel` for models
 */
export async function countModels(request: ParamsOptions): Promise<ParamsReport> {
  const workload = { ...DEFAULT_WORKLOAD, ...request.workload }
  const options: SlotOptions = {
    heads: request.heads ?? [],
    ...(request.labels === undefined ? {} : { labels: request.labels }),
  }
  const open: OpenModelOptions = { ...request }
  const { models = [], presets = [], configs = [], compare = [] } = request
  // Names in the order of counting.
  const names = distinctNames([...models, ...configs, ...compare.filter((name) => findPreset(name) === null)])
  const called = (): string => names.shift()!
  const counted: Counted[] = []
  for (const path of models) counted.push(await fromModel(path, called(), open, workload))
  for (const name of presets) counted.push(fromPreset(name, options, workload))
  for (const file of configs) counted.push(fromConfigFile(file, called(), options, workload))
  const { config: _, ...beside } = open
  for (const name of compare) {
    const known = findPreset(name) !== null
    counted.push(known ? fromPreset(name, options, workload) : await fromModel(name, called(), beside, workload))
  }
  const [first] = counted
  if (first === undefined)
    throw usage('there is nothing to count', {
      code: 'option-missing',
      hint: 'give `models`, `presets`, `configs` or `compare`',
    })
  const imagined = whatIfs(first.config, first.options, request.whatIf ?? {}).map(
    ({ label, config, options: changed, notes }) =>
      fromConfig({ name: label, origin: 'what-if', notes }, checked(config), changed, workload),
  )
  const columns = [...counted, ...imagined].map((c) => c.column)
  const least = Math.min(...columns.map(({ config }) => config.max_position_embeddings))
  // Without a length that was asked for, all are counted with one that each of them takes.
  if (request.workload?.sequence === undefined && least < workload.sequence)
    return countModels({ ...request, workload: { ...request.workload, sequence: least } })
  checkWork(workload, columns)
  return { ok: columns.every((c) => (c.agreement?.differences.length ?? 0) === 0), workload, columns }
}

/** Checks that all counts are exact integers in float64. */
function checked(config: ModelConfig): ModelConfig {
  const largest = elementCount([Math.max(config.vocab_size, config.hidden_size), config.intermediate_size])
  if (!Number.isSafeInteger(largest * config.num_hidden_layers))
    throw usage('these sizes are larger than can be counted exactly', { code: 'option-invalid' })
  return config
}

/** Recomputes the parameter counts of Lan et al. 2019 (arXiv 1909.11942) from its configurations alone. */
export const paperReport = (): PaperReport => ({
  example: factorisationExample(),
  tables: paperTables(),
  variants: VARIANTS,
  findings: PAPER_FINDINGS,
})
