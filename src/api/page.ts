import type { Section } from '../report/html.js'
import { layersSection, paperSection, paramsSection } from '../report/pages.js'
import type { ModelLayers } from './layers.js'
import type { PaperReport } from './paper.js'
import type { ParamsReport } from './params.js'

/** A page before it is written. */
export interface Page {
  readonly title: string
  readonly lead: string
  readonly sections: readonly Section[]
}

const titleOf = (names: readonly string[]): string =>
  names.length <= 3 ? names.join(' · ') : `${names.slice(0, 3).join(' · ')} and ${names.length - 3} more`

/** The page of `layers`. */
export const layersPage = (models: readonly ModelLayers[]): Page => ({
  title: titleOf(models.map((m) => m.model)),
  lead: 'What each layer and each attention head does to the tokens.',
  sections: [layersSection(models)],
})

/** The page of `params`. */
export function paramsPage(report: ParamsReport, models: readonly string[]): Page {
  const names = report.columns.map((c) => c.name)
  return {
    title: titleOf(names),
    lead: models.length === 0 ? 'Parameters from configurations alone.' : 'Parameters, layers and weights.',
    sections: [paramsSection(report)],
  }
}

/** The page of `params --paper`. */
export const paperPage = (report: PaperReport): Page => ({
  title: 'ALBERT’s parameter counts, recomputed',
  lead: 'Lan et al. 2019, “ALBERT: A Lite BERT for Self-supervised Learning of Language Representations”.',
  sections: [paperSection(report)],
})
