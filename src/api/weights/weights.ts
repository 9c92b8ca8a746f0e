import { yieldToEventLoop } from '../../base/yield.js'
import { stoppable, type Abortable, type OnProgress, progressStep } from '../../base/abort.js'
import type { AlbertModel } from '../../model/albert.js'
import { classHealth } from '../../model/health/classes.js'
import { duplicateLayers } from '../../model/health/duplicates.js'
import { isInitial, startOf } from '../../model/health/initial.js'
import { WIDEST, type WordRanks } from '../../model/health/rank.js'
import { tensorStatistics, type TensorStatistics } from '../../model/health/statistics.js'
import { INITIALIZER_RANGE } from '../../model/random/init.js'
import { distinctNames } from '../distinct-names.js'
import { examineModel, type ExaminedModel, type OpenModelOptions } from '../open/open.js'
import { readLabels } from '../labels.js'
import { compareAgainst } from './against.js'
import { compareBefore, presentParameters } from './before.js'
import type { HeadHealth, TensorHealth, WeightsReport } from './report.js'
import { estimateRanks } from './ranks.js'
import { verdictsOf } from './verdicts.js'

export type { HeadHealth, TensorHealth, WeightsReport } from './report.js'

export interface WeightsOptions extends Abortable, OpenModelOptions {
  /** Path of the configuration of the model to initialise from the checkpoint. */
  readonly targetConfig?: string
  /** Path of an earlier checkpoint of the same training. */
  readonly earlierCheckpoint?: string
  readonly onProgress?: OnProgress
}

function stateOf(slot: string, s: TensorStatistics, range: number, normal: boolean): TensorHealth['state'] {
  if (s.nan + s.inf > 0) return 'broken'
  if (isInitial(slot, s, range, normal)) return 'initial'
  if (s.count > 1 && s.min === s.max) return s.min === 0 ? 'zero' : 'constant'
  return 'ok'
}

const HEADS: readonly (readonly [head: string, pattern: RegExp])[] = [
  ['pooler', /^pooler\//],
  ['MLM head', /^mlm\//],
  ['SOP head', /^sop\//],
  ['classifier', /^classifier\//],
  ['question answering head', /^qa\//],
]

/** Health of heads: untrained if all values are initial, constant if no matrix varies. */
function headHealth(tensors: readonly TensorHealth[]): HeadHealth[] {
  return HEADS.flatMap(([head, pattern]) => {
    const own = tensors.filter((t) => pattern.test(t.slot))
    if (own.length === 0) return []
    const matrices = own.filter((t) => startOf(t.slot) === 'noise')
    const constant = matrices.length > 0 && matrices.every((t) => t.min !== null && t.min === t.max)
    const untrained = own.every((t) => t.state === 'initial')
    return [{ head, state: constant ? 'constant' : untrained ? 'untrained' : 'trained' } as const]
  })
}

function rangeOf({ rawConfig }: ExaminedModel): number {
  const { initializer_range: range } = rawConfig.fields
  return typeof range === 'number' && range > 0 ? range : INITIALIZER_RANGE
}

const has = (tensors: readonly TensorHealth[], slots: readonly (string | undefined)[]): boolean =>
  slots.every((slot) => slot === undefined || tensors.some((t) => t.slot === slot && t.nan + t.inf === 0))

async function ranksOf(
  examined: ExaminedModel,
  tensors: readonly TensorHealth[],
  options: Abortable,
): Promise<WordRanks | null> {
  const { word, factor, mapping } = examined.plan.model.embeddings
  const projection = factor ?? mapping?.kernel ?? null
  return has(tensors, [word.slot, projection?.slot]) ? estimateRanks(examined.source, word, projection, options) : null
}

function classesOf(examined: ExaminedModel, tensors: readonly TensorHealth[]): WeightsReport['classes'] {
  const { model } = examined.plan
  const { classifier } = model
  if (classifier === null || !has(tensors, [classifier.weight.slot, classifier.bias.slot])) return []
  const norms = normsBefore(model)
  if (!has(tensors, norms)) return []
  const labels = readLabels({ ...examined, model: examined.plan.model })
  return classHealth(examined.source, model).map((c) => ({ ...c, label: labels?.[c.index] ?? null }))
}

/** Names of the LayerNorms whose values bound the logits. */
function normsBefore({ classifier, layers }: AlbertModel): string[] {
  const norm = classifier?.norm ?? (classifier?.kind === 'token' ? layers.at(-1)?.at(-1)?.outputNorm : undefined)
  return norm === undefined ? [] : [norm.gamma.slot, norm.beta.slot]
}

/**
 * Examines the weights of a model: statistics of every tensor, untrained heads, classes that cannot win, duplicate
 * layers and the rank of the embeddings; variables that another model needs and the checkpoint lacks, and variables
 * that equal those of an earlier checkpoint. Tensors are read in pieces: memory does not grow with the model.
 * @throws AlbertkitError as `openModel`, except that missing variables are reported
 */
export async function analyseWeights(path: string, asked: WeightsOptions = {}): Promise<WeightsReport> {
  const options = stoppable(asked)
  const { targetConfig: against, earlierCheckpoint: before, onProgress, ...open } = options
  const examined = await examineModel(path, open)
  try {
    if (examined.refusal !== null) throw examined.refusal
    const { source, plan, config, identification, notes } = examined
    const range = rangeOf(examined)
    const tensors: TensorHealth[] = []
    for (const p of presentParameters(examined).values()) {
      await yieldToEventLoop()
      onProgress?.(progressStep('examining', p.variable))
      const statistics = tensorStatistics(source, p)
      const { variable, slot, dtype, storedShape } = p
      tensors.push({
        variable,
        slot,
        dtype,
        shape: storedShape,
        ...statistics,
        state: stateOf(slot, statistics, range, config.family === 'hf'),
      })
    }
    const body = tensors.filter((t) => /^(embeddings|encoder)\//.test(t.slot))
    onProgress?.(progressStep('examining', 'word embeddings'))
    const ranks = await ranksOf(examined, tensors, options)
    onProgress?.(progressStep('examining', 'layers'))
    const [name = path] = distinctNames([path])
    const { checksum, task } = open
    const beside = {
      ...(checksum === undefined ? {} : { checksum }),
      ...(open.config === undefined ? {} : { config: open.config }),
    }
    const width = plan.model.embeddings.word.shape[1] ?? 0
    const facts = {
      model: name,
      family: identification.table.family,
      architecture: config.architecture,
      initializerRange: range,
      tensors,
      body: body.length > 0 && body.every((t) => t.state === 'initial') ? ('untrained' as const) : ('trained' as const),
      heads: headHealth(tensors),
      classes: classesOf(examined, tensors),
      ranks,
      duplicates: plan.missing.length === 0 ? duplicateLayers(source, plan.model) : [],
      missing: plan.missing,
      against: against === undefined ? null : compareAgainst(examined, against, task),
      before: before === undefined ? null : await compareBefore(examined, before, beside),
      notes: [
        ...notes,
        ...(width > WIDEST ? [`the word embeddings are wider than ${WIDEST}: their rank is not estimated`] : []),
      ],
    }
    const ok = plan.missing.length === 0 && tensors.every((t) => t.nan + t.inf === 0)
    return { ok, ...facts, verdicts: verdictsOf(facts) }
  } finally {
    examined.close()
  }
}
