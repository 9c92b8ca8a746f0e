import type { ModelLayers } from '../../api/layers/report.js'
import type { PaperReport, ParamsReport } from '../../api/params/report.js'
import type { WeightsReport } from '../../api/weights/weights.js'
import type { Evaluation } from '../../api/inference/report.js'
import { confusionChart } from '../chart/confusion.js'
import { evaluationTables } from '../text/evaluate.js'
import { headsChart, layersChart } from '../chart/layers.js'
import { paperChart, paramsChart } from '../chart/params.js'
import { spectrumChart, tensorsChart } from '../chart/weights.js'
import type { Section } from './html.js'
import { layersTables } from '../text/layers.js'
import { paperReportTables } from '../text/paper.js'
import { paramsTables } from '../text/params.js'
import { weightsTables } from '../text/weights.js'

/** Section of a page for the report of `params`. */
export const paramsSection = (report: ParamsReport): Section => ({
  title: 'Parameters',
  text: [
    'Stored counts each distinct parameter once; used counts it at every layer that uses it. ' +
      'Sharing shrinks storage, not computation.',
  ],
  charts: [() => paramsChart(report)],
  tables: paramsTables(report),
})

export const evaluationSection = (report: Evaluation): Section => ({
  title: 'Evaluation',
  ...(report.warnings.length === 0 ? {} : { text: report.warnings }),
  charts: [(look) => confusionChart(report, look)],
  tables: evaluationTables(report),
})

export const layersSection = (models: readonly ModelLayers[]): Section => ({
  title: 'Layers',
  text: [
    'Distance and angle between the input and the output of each layer. ' +
      'Lan et al. found smoother transitions from layer to layer if the layers share their parameters.',
  ],
  charts: [() => layersChart(models), (look) => headsChart(models, look)],
  tables: layersTables(models),
})

/** @param several true if other models have such a section on the same page */
export function weightsSection(report: WeightsReport, several: boolean): Section {
  const spectrum = spectrumChart(report)
  const [verdict, ...rest] = weightsTables(report)
  return {
    title: several ? `Weights of ${report.model}` : 'Weights',
    ...(verdict === undefined ? {} : { first: [verdict] }),
    charts: [(look) => tensorsChart(report, look), ...(spectrum === null ? [] : [() => spectrum])],
    tables: rest,
  }
}

export const paperSection = (report: PaperReport): Section => ({
  title: 'The paper’s tables',
  text: [
    'Lan et al. 2019, arXiv 1909.11942: the numbers printed in the paper beside those computed from its ' +
      'configurations. Nothing is adjusted to fit.',
  ],
  charts: [(look) => paperChart(report.tables, look)],
  tables: paperReportTables(report),
})
