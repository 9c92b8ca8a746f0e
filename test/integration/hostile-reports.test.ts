import { writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BenchReport } from '../../src/api/bench/report.js'
import { checkDirectory } from '../../src/api/check/check.js'
import { convertModel } from '../../src/api/convert/convert.js'
import { diffModels } from '../../src/api/diff/diff.js'
import type { DoctorReport } from '../../src/api/doctor/report.js'
import { exportTrainingGraph } from '../../src/api/finetune/export-graph.js'
import type { BatchesReport } from '../../src/api/finetune/report.js'
import { trainModel } from '../../src/api/finetune/train-model.js'
import { evaluateFile } from '../../src/api/inference/evaluate-file.js'
import type { EvaluationReport, OtherEvaluationReport, TextFileReport } from '../../src/api/inference/report.js'
import { initModel } from '../../src/api/init/init.js'
import { inspectModel } from '../../src/api/inspect/inspect.js'
import { compareLayers } from '../../src/api/layers/layers.js'
import { countModels, paperReport } from '../../src/api/params/params.js'
import { mergeDirectory } from '../../src/api/sharded/merge.js'
import { runTextShard } from '../../src/api/sharded/shards.js'
import { verifyModel } from '../../src/api/verify/verify.js'
import { analyseWeights } from '../../src/api/weights/weights.js'
import { confusionChart } from '../../src/report/chart/confusion.js'
import { headsChart, layersChart } from '../../src/report/chart/layers.js'
import { lossChart } from '../../src/report/chart/loss.js'
import { paperChart, paramsChart } from '../../src/report/chart/params.js'
import { chartSvg, type Chart } from '../../src/report/chart/render.js'
import { verifyCharts } from '../../src/report/chart/verify.js'
import { tensorsChart } from '../../src/report/chart/weights.js'
import { htmlPage } from '../../src/report/html/html.js'
import { evaluationSection, layersSection, paramsSection, weightsSection } from '../../src/report/html/pages.js'
import { tableCsv, tablesMarkdown, tablesText } from '../../src/report/tables.js'
import { benchText } from '../../src/report/text/bench.js'
import { checkText } from '../../src/report/text/check.js'
import { convertText } from '../../src/report/text/convert.js'
import { diffText } from '../../src/report/text/diff.js'
import { doctorText } from '../../src/report/text/doctor.js'
import { evaluateText, otherEvaluationText } from '../../src/report/text/evaluate.js'
import { batchesText, graphText, trainText } from '../../src/report/text/finetune.js'
import { inspectText } from '../../src/report/text/inspect.js'
import { layersCsvTable, layersTables } from '../../src/report/text/layers.js'
import { paperReportTables } from '../../src/report/text/paper.js'
import { paramsCsvTable, paramsTables } from '../../src/report/text/params.js'
import { initText, maskText, mergeText, queueText, shardText, textFileText } from '../../src/report/text/short.js'
import { verifyText } from '../../src/report/text/verify.js'
import { weightsCsvTable, weightsTables } from '../../src/report/text/weights.js'
import { temporary } from '../helpers/faults.js'
import { tinyLines, writeTinyClassifier } from '../helpers/tiny-files.js'
import { xmlProblem } from '../helpers/xml.js'

// Every text of every report is replaced by what an attacker would write there: what is printed has no control
// characters and as many lines as before, whichever text it is.

const place = temporary()
const { at } = place
afterAll(() => {
  place.remove()
})

/** Functions that print a report. */
interface Printers<T> {
  readonly texts?: readonly ((report: T) => string)[]
  readonly charts?: readonly ((report: T) => Chart)[]
  readonly pages?: readonly ((report: T) => Promise<string>)[]
}
interface Printed extends Printers<never> {
  readonly report: unknown
}
const entry = <T>(report: T, printers: Printers<T>): Printed => ({ report, ...printers })
const NAMES = [
  'inspect',
  'convert',
  'verify',
  'diff',
  'check',
  'evaluate',
  'several labels',
  'init',
  'finetune',
  'batches',
  'graph',
  'shard',
  'merge',
  'file',
  'queue',
  'mask',
  'bench',
  'doctor',
  'layers',
  'weights',
  'params',
  'paper',
] as const
const printed = new Map<string, Printed>()

beforeAll(async () => {
  await writeTinyClassifier(at('model'))
  await writeTinyClassifier(at('other'), 1)
  writeFileSync(at('lines.tsv'), [...tinyLines(20), '\n', 'left\ta\n'].join(''))
  const job = { model: at('model'), input: at('lines.tsv'), format: 'jsonl', inputFormat: 'tsv', threads: 1 } as const
  const evaluation = (await evaluateFile(job, { compare: at('other') })) as EvaluationReport
  const converted = await convertModel(at('model'), at('out'), {
    targets: ['onnx'],
    dtypes: ['f32', 'int8'],
    minAgreement: 0,
  })
  const verified = await verifyModel(at('model'), at('out'), { layers: true, bisect: true, runners: ['onnxruntime'] })
  const trained = await trainModel(
    at('model'),
    { train: at('lines.tsv'), dev: at('lines.tsv') },
    { output: at('trained'), steps: 10, batchSize: 4, inputFormat: 'tsv', maxSeqLength: 8 },
  )
  const shard = await runTextShard('predict', job, { index: 0, count: 1 }, at('shards'))
  const merged = await mergeDirectory(at('shards'), { output: at('merged.jsonl'), errors: at('merged.bad') })
  const { family, optimizer, runner, variables, steps, output, files, notes } = trained
  const batches: BatchesReport = {
    ...{ ok: true, model: 'm', family, task: 'classify', optimizer, runner, variables },
    ...{ steps: steps.slice(0, 2), output, files, notes },
  }
  const graph = await exportTrainingGraph(at('model'), at('graph'))
  const layers = await compareLayers([at('model'), at('other')])
  const weights = await analyseWeights(at('model'), { referenceModel: at('other') } as object)
  const params = await countModels({ models: [at('model')], presets: ['albert-base'], compare: [at('other')] })
  const tables = <T>(
    of: (report: T) => Parameters<typeof tablesText>[0],
    csv?: (report: T) => Parameters<typeof tableCsv>[0],
  ) => [
    (report: T) => tablesText(of(report), Infinity),
    (report: T) => tablesText(of(report), 60),
    (report: T) => tablesMarkdown(of(report)),
    ...(csv === undefined ? [] : [(report: T) => tableCsv(csv(report)).replaceAll('\r\n', '\n')]),
  ]
  const page = <T>(section: (report: T) => Parameters<typeof htmlPage>[2][number]) => [
    (report: T) => htmlPage('title', 'lead', [section(report)], '1.0.0'),
  ]
  const whole = { precision: 1, recall: 1, f1: 1 }
  const severalLabels: OtherEvaluationReport = {
    ...{ lines: 2, exactMatch: 1, micro: whole, macro: whole, labels: ['a'], bad: 1, notes: [], runner: 'x' },
    classes: [{ label: 'a', support: 1, predicted: 1, ...whole }],
  }
  const file: TextFileReport = { output: 'a', lines: 1, bad: 1, errors: 'b', runner: 'c', notes: ['d'], resumedAt: 2 }
  const flow = {
    id: 'i',
    command: 'predict',
    input: 'x',
    output: 'y',
    state: 'failed',
    shards: 1,
    done: 0,
    reason: 'z',
  }
  const sizes = { threads: 1, batch: 1, length: 1, p50: 1, p90: 1, rowsPerSecond: 1, tokensPerSecond: 1, load: 1 }
  const bench: BenchReport = {
    ...{ ok: true, directory: 'd', node: 'v', notRun: [{ runner: 'r', reason: 'x' }], notes: ['n'] },
    rows: [{ file: 'f', runner: 'r', memory: 1, ...sizes }],
  }
  const broken = { name: 'n', required: true, place: 'cpu', status: 'broken', adapter: null, maxAbs: 0 } as const
  const doctor: DoctorReport = {
    ...{ ok: true, version: 'v', node: { version: 'v', required: 'r', ok: true }, adapters: ['a'] },
    system: { platform: 'p', release: 'r', arch: 'a', cpu: 'c', threads: 1, memory: 1, freeMemory: 1 },
    runtimes: [{ ...broken, detail: 'd', reason: 'r', fix: 'f' }],
    packages: [{ name: 'n', version: 'v', purpose: 'p' }],
  }
  const all: Record<(typeof NAMES)[number], Printed> = {
    inspect: entry(await inspectModel(at('model')), {
      texts: [(r) => inspectText(r), (r) => inspectText(r, true, 80)],
    }),
    convert: entry(converted, { texts: [(r) => convertText(r)] }),
    verify: entry(verified, {
      texts: [(r) => verifyText(r)],
      charts: verifyCharts(verified).map((_, i) => (r) => verifyCharts(r)[i]!('light')),
    }),
    diff: entry(await diffModels(at('model'), at('other')), {
      texts: [(r) => diffText(r, true), (r) => diffText(r, false, 80)],
    }),
    check: entry(await checkDirectory(at('out')), { texts: [(r) => checkText(r, Infinity)] }),
    evaluate: entry<EvaluationReport>(evaluation, {
      texts: [(r) => evaluateText(r, r.comparison ?? null)],
      charts: [(r) => confusionChart(r, 'light')],
      pages: page(evaluationSection),
    }),
    'several labels': entry(severalLabels, { texts: [(r) => otherEvaluationText(r)] }),
    init: entry(await initModel(at('model.json'), at('new'), {}), { texts: [(r) => initText(r)] }),
    finetune: entry(trained, { texts: [(r) => trainText(r)], charts: [(r) => lossChart(r, 'light')] }),
    batches: entry(batches, { texts: [(r) => batchesText(r)] }),
    graph: entry(graph, { texts: [(r) => graphText(r)] }),
    shard: entry(shard, { texts: [(r) => shardText(r)] }),
    merge: entry(merged, { texts: [(r) => mergeText(r)] }),
    file: entry(file, { texts: [(r) => textFileText(r)] }),
    queue: entry({ queue: 'q', counts: { wait: 1 }, flows: [flow] }, { texts: [(r) => queueText(r)] }),
    mask: entry([{ position: 1, candidates: [{ token: 'a', id: 1, probability: 0.5 }] }], {
      texts: [(r) => maskText(r)],
    }),
    bench: entry(bench, { texts: [(r) => benchText(r)] }),
    doctor: entry(doctor, { texts: [(r) => doctorText(r, Infinity)] }),
    layers: entry(layers, {
      texts: tables(layersTables, layersCsvTable),
      charts: [(r) => layersChart(r), (r) => headsChart(r, 'light')],
      pages: page(layersSection),
    }),
    weights: entry(weights, {
      texts: tables(weightsTables, weightsCsvTable),
      charts: [(r) => tensorsChart(r, 'light')],
      pages: page((r) => weightsSection(r, true)),
    }),
    params: entry(params, {
      texts: tables(paramsTables, paramsCsvTable),
      charts: [(r) => paramsChart(r)],
      pages: page(paramsSection),
    }),
    paper: entry(paperReport(), {
      texts: tables(paperReportTables),
      charts: [(r) => paperChart(r.tables, 'light')],
    }),
  }
  for (const [name, one] of Object.entries(all)) printed.set(name, one)
}, 180_000)

type Path = readonly (string | number)[]

/** Places of all texts in a report; keys of records are texts too, but those that the code knows. */
function textsIn(value: unknown, path: Path = []): Path[] {
  if (typeof value === 'string') return [path]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => textsIn(inner, [...path, key]))
}

function replaced(value: unknown, [key, ...rest]: Path, by: (text: string) => string): unknown {
  if (key === undefined) return by(value as string)
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }) as Record<string, unknown>
  copy[key] = replaced(copy[key], rest, by)
  return copy
}

const CONTROL = /[\0-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/

const hostile = fc
  .array(
    fc.constantFrom(
      '\u001b[31m',
      '\u0007',
      '\n',
      '\r',
      '\t',
      '\u009b',
      '\u202e',
      '\u2028',
      '\0',
      '\ud800',
      '<b>',
      '&',
      '"',
      "'",
      '|',
      '=1+1',
      ']]>',
      '-->',
      '\ufffe',
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((parts) => parts.join('x'))
const RUNS = { numRuns: Number(process.env.HOSTILE_RUNS ?? 10), seed: 1 }

/** What a function prints; null if the text is one by which it looks something up. */
function tried<T>(body: () => T): T | null {
  try {
    return body()
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return null
    throw error
  }
}

describe.each(NAMES)('the report of %s', (name) => {
  it('prints no control character and no extra line for any text', () => {
    const { report, texts = [] } = printed.get(name)!
    const paths = textsIn(report)
    expect(paths.length * texts.length).toBeGreaterThan(0)
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.constantFrom(...texts), hostile, (path, print, text) => {
        const harmless = tried(() =>
          print(replaced(report, path, (was) => `${was}${'y'.repeat(text.length)}`) as never),
        )
        const shown = tried(() => print(replaced(report, path, (was) => `${was}${text}`) as never))
        if (harmless === null || shown === null) return
        expect(CONTROL.exec(shown), path.join('.')).toBeNull()
        // What is wrapped has as many lines as it needs.
        if (/\b[68]0\b/.test(print.toString())) return
        expect(shown.split('\n').length, path.join('.')).toBe(harmless.split('\n').length)
      }),
      { ...RUNS, numRuns: RUNS.numRuns * 10 },
    )
  })

  it('draws well-formed XML, and pages without markup of theirs', async () => {
    const { report, charts = [], pages = [] } = printed.get(name)!
    const paths = textsIn(report)
    for (const chart of charts)
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...paths), hostile, async (path, text) => {
          const drawn = tried(() => chart(replaced(report, path, (was) => `${was}${text}`) as never))
          if (drawn === null) return
          const svg = await chartSvg(drawn, 'light')
          expect(xmlProblem(svg), path.join('.')).toBeNull()
          expect(CONTROL.exec(svg.replaceAll('\n', '')), path.join('.')).toBeNull()
        }),
        RUNS,
      )
    for (const page of pages)
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...paths), hostile, async (path, text) => {
          const html = await page(replaced(report, path, (was) => `${was}${text}`) as never).catch(() => null)
          if (html === null) return
          expect(CONTROL.exec(html.replaceAll('\n', '')), path.join('.')).toBeNull()
          expect(html, path.join('.')).not.toContain('<b>')
        }),
        { ...RUNS, numRuns: 5 },
      )
  }, 60_000)
})
