import type { OnProgress } from '../../base/abort.js'
import type { Section } from '../../report/html/html.js'
import {
  evaluationSection,
  layersSection,
  paperSection,
  paramsSection,
  weightsSection,
} from '../../report/html/pages.js'
import { distinctNames } from '../../api/distinct-names.js'
import type { EvaluationReport } from '../../api/inference/report.js'
import type { ModelLayers } from '../../api/layers/report.js'
import type { OpenModelOptions } from '../../api/open/open.js'
import type { PaperReport, ParamsReport } from '../../api/params/report.js'
import type { WeightsReport } from '../../api/weights/weights.js'

/** A page before it is written. */
export interface Page {
  readonly title: string
  readonly lead: string
  readonly sections: readonly Section[]
}

const titleOf = (names: readonly string[]): string =>
  names.length <= 3 ? names.join(' · ') : `${names.slice(0, 3).join(' · ')} and ${names.length - 3} more`

/** The page of `evaluate`. */
export const evaluationPage = (report: EvaluationReport, model: string): Page => ({
  title: titleOf(distinctNames([model])),
  lead: `Accuracy ${(100 * report.accuracy).toFixed(1)} % of ${report.lines} lines, loss ${report.loss.toFixed(4)}.`,
  sections: [evaluationSection(report)],
})

/** The page of `layers`. */
export const layersPage = (models: readonly ModelLayers[]): Page => ({
  title: titleOf(models.map((m) => m.model)),
  lead: 'Effect of each layer and each attention head on the tokens.',
  sections: [layersSection(models)],
})

/** Options for reading the models of a page, with a callback for progress. */
export interface PageOptions extends OpenModelOptions {
  readonly onProgress?: OnProgress
}

async function fileSections(models: readonly string[], options: PageOptions): Promise<Section[]> {
  if (models.length === 0) return []
  const [{ compareLayers }, { analyseWeights }] = await Promise.all([
    import('../../api/layers/layers.js'),
    import('../../api/weights/weights.js'),
  ])
  const names = distinctNames(models)
  const sections = [layersSection(await compareLayers(models, options))]
  for (const [i, path] of models.entries())
    sections.push(
      weightsSection({ ...(await analyseWeights(path, options)), model: names[i] ?? path }, models.length > 1),
    )
  return sections
}

/** The page of `weights`. */
export const weightsPage = (report: WeightsReport): Page => ({
  title: report.model,
  lead: 'Findings from the weights of the model.',
  sections: [weightsSection(report, false)],
})

/** The page of `params`; for models that are files also the sections of `layers` and `weights`. */
export async function paramsPage(
  report: ParamsReport,
  models: readonly string[],
  options: PageOptions = {},
): Promise<Page> {
  const names = report.columns.map((c) => c.name)
  return {
    title: titleOf(names),
    lead: models.length === 0 ? 'Parameters from configurations alone.' : 'Parameters, layers and weights.',
    sections: [paramsSection(report), ...(await fileSections(models, options))],
  }
}

/** The page of `params --paper`. */
export const paperPage = (report: PaperReport): Page => ({
  title: 'ALBERT’s parameter counts, recomputed',
  lead: 'Lan et al. 2019, “ALBERT: A Lite BERT for Self-supervised Learning of Language Representations”.',
  sections: [paperSection(report)],
})
