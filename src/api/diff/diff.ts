import { yieldToEventLoop } from '../../base/yield.js'
import { stoppable, type Abortable, type OnProgress, progressStep } from '../../base/abort.js'
import { omitUndefined } from '../../base/omit-undefined.js'
import type { OpenOptions } from '../../formats/core/source.js'
import { correspond, type SlotView, type Pair } from '../../model/rewrite/align.js'
import { differenceOf } from '../../compare/difference.js'
import { openModel, type OpenedModel, type OpenModelOptions } from '../open/open.js'
import type { DiffModel, DiffReport, DiffSide, SlotDiff, SlotStatus } from './report.js'

/** `scope`, `head`, `ema` and `mergeLora` apply to the first model, `ignore` to both. */
export interface DiffOptions
  extends Abortable, OpenOptions, Pick<OpenModelOptions, 'scope' | 'head' | 'ema' | 'mergeLora' | 'ignore'> {
  /** Configurations to use instead of those next to the weights. */
  readonly configs?: { readonly a?: string; readonly b?: string }
  /** Largest absolute difference that is ignored; default 0. */
  readonly atol?: number
  /** Leave out slots that only one model has, e.g. heads that a conversion dropped. */
  readonly common?: boolean
  readonly onProgress?: OnProgress
}

/** Settings that tensor shapes do not determine. */
const SETTINGS = ['num_attention_heads', 'hidden_act', 'layer_norm_eps', 'norm_position'] as const

/** These settings by name, and those of the masked-token head that differ from the layers', if both models have one. */
function settingsOf({ config, model }: OpenedModel, other: OpenedModel): Map<string, string | number> {
  const settings = new Map<string, string | number>(SETTINGS.map((field) => [field, config[field]]))
  if (model.mlm === null || other.model.mlm === null) return settings
  const { hidden_act, layer_norm_eps } = config.mlm_head ?? config
  return settings.set('mlm_head.hidden_act', hidden_act).set('mlm_head.layer_norm_eps', layer_norm_eps)
}

const sideOf = (held: SlotView | null): DiffSide | null =>
  held === null ? null : { variables: held.variables, dtype: held.dtype, shape: shapeOf(held) }

/** Logical shape of a slot. */
const shapeOf = ({ view }: SlotView): number[] => {
  const total = view.shape.reduce((n, d) => n * d, 1)
  return total === 0 ? [...view.shape] : view.place(total - 1).map((index) => index + 1)
}

function compare({ slot, layers, a, b, harmless }: Pair, atol: number): SlotDiff {
  const common = { slot, layers, a: sideOf(a), b: sideOf(b) }
  const elements = ((a ?? b)?.view.shape ?? []).reduce((n, d) => n * d, 1)
  const incomparable = { ...common, elements, different: null, maxAbs: null, where: [] }
  if (a === null || b === null) {
    if (harmless !== undefined) return { ...incomparable, status: 'equal', harmless }
    return { ...incomparable, status: a === null ? 'only-b' : 'only-a' }
  }
  if (a.view.shape.join() !== b.view.shape.join()) return { ...incomparable, status: 'shape' }
  const found = differenceOf(a.view, b.view)
  const within = found.maxAbs !== null && found.maxAbs <= atol
  return { ...common, ...found, status: found.different === 0 ? 'equal' : within ? 'within' : 'differs' }
}

const describeModel = (path: string, { source, config, identification }: OpenedModel): DiffModel => ({
  path,
  family: config.family,
  format: source.format,
  title: identification.table.title,
})

async function report(
  paths: readonly [string, string],
  a: OpenedModel,
  b: OpenedModel,
  options: DiffOptions,
): Promise<DiffReport> {
  const { atol = 0, common = false, onProgress } = options
  const compared: SlotDiff[] = []
  for (const pair of correspond(a, b)) {
    await yieldToEventLoop()
    onProgress?.(progressStep('comparing weights', pair.slot))
    compared.push(compare(pair, atol))
  }
  const slots = common ? compared.filter(({ status }) => status !== 'only-a' && status !== 'only-b') : compared
  const theirs = settingsOf(b, a)
  const config = [...settingsOf(a, b)].flatMap(([field, value]) =>
    theirs.get(field) === value ? [] : [{ field, a: value, b: theirs.get(field)! }],
  )
  const count = (status: SlotStatus): number => slots.filter((slot) => slot.status === status).length
  const counts = {
    equal: count('equal'),
    within: count('within'),
    differs: count('differs'),
    shape: count('shape'),
    onlyA: count('only-a'),
    onlyB: count('only-b'),
  }
  return {
    ok: config.length === 0 && counts.equal + counts.within === slots.length,
    a: describeModel(paths[0], a),
    b: describeModel(paths[1], b),
    atol,
    config,
    slots,
    counts,
    notes: [...a.notes.map((note) => `A: ${note}`), ...b.notes.map((note) => `B: ${note}`)],
  }
}

/**
 * Compares two models slot by slot, in any containers and families. If one model shares a layer and the other copies
 * it, layers are compared one by one; factorised word embeddings are compared as their product.
 * @throws AlbertkitError as `openModel`; models that differ are a report with `ok: false`
 */
export async function diffModels(pathA: string, pathB: string, asked: DiffOptions = {}): Promise<DiffReport> {
  const options = stoppable(asked)
  const { configs = {}, checksum, ignore, scope, head, ema, mergeLora } = options
  const base = omitUndefined({ checksum, ignore })
  const own = omitUndefined({ scope, head, ema, mergeLora })
  const a = await openModel(pathA, { ...base, ...own, ...(configs.a === undefined ? {} : { config: configs.a }) })
  try {
    const b = await openModel(pathB, { ...base, ...(configs.b === undefined ? {} : { config: configs.b }) })
    try {
      return await report([pathA, pathB], a, b, options)
    } finally {
      b.close()
    }
  } finally {
    a.close()
  }
}
