import type { GpuReport, GpuStep } from '../../api/gpu-report/report.js'
import { bytes, scientific } from '../format.js'
import { numberCell, tablesMarkdown, tablesText, textCell, type DataTable } from '../tables.js'

/** Text and Markdown of the report on the GPUs of a machine. */

const STATUS = { ok: 'ok', differs: 'DIFFERS', failed: 'FAILED', skipped: 'skipped' } as const

export const adapterOf = ({ adapter }: Pick<GpuStep, 'adapter'>): string =>
  adapter === null
    ? ''
    : `${adapter.vendor} ${adapter.device} (${adapter.driver}${adapter.software ? ', software' : ''})`

const runtimesTable = ({ runtimes }: GpuReport): DataTable => ({
  title: 'Runtimes',
  columns: [
    { title: 'runtime' },
    { title: 'status' },
    { title: 'what runs, or why not' },
    { title: 'adapter' },
    { title: 'max |Δ|', number: true },
  ],
  rows: runtimes.map((runtime) => [
    textCell(runtime.name),
    textCell(runtime.status),
    textCell(runtime.detail ?? runtime.reason ?? ''),
    textCell(adapterOf(runtime)),
    textCell(runtime.detail === null ? '' : scientific(runtime.maxAbs)),
  ]),
})

const parityTable = ({ steps }: GpuReport): DataTable => ({
  title: 'Parity: the output nearest to its bound, or farthest beyond',
  columns: [
    { title: 'model' },
    { title: 'runtime' },
    { title: 'weights' },
    { title: 'output' },
    { title: 'max |Δ|', number: true },
    { title: 'bound', number: true },
    { title: '' },
  ],
  rows: steps.flatMap(({ model, runner, parity }) =>
    parity.map(({ dtype, output, maxAbs, atol, ok }) =>
      [model, runner, dtype, output, scientific(maxAbs), scientific(atol), ok ? 'ok' : 'DIFFERS'].map(textCell),
    ),
  ),
})

/** The layer nearest to its bound, of each step that has layers. */
const layersTable = ({ steps }: GpuReport): DataTable => ({
  title: 'Layers of the float32 graph: the one nearest to its bound, and the first beyond',
  columns: [
    { title: 'model' },
    { title: 'runtime' },
    { title: 'layers', number: true },
    { title: 'nearest' },
    { title: 'max |Δ|', number: true },
    { title: 'bound', number: true },
    { title: 'first beyond' },
  ],
  rows: steps.flatMap(({ model, runner, layers }) => {
    const [worst] = layers.toSorted((a, b) => (b.maxAbs ?? Infinity) / b.atol - (a.maxAbs ?? Infinity) / a.atol)
    if (worst === undefined) return []
    const named = (layer: number | undefined): string =>
      layer === undefined ? 'none' : layer < 0 ? 'embeddings' : `layer ${layer}`
    const first = layers.find(({ ok }) => !ok)?.layer
    const cells = [named(worst.layer), scientific(worst.maxAbs), scientific(worst.atol), named(first)]
    return [[model, runner, String(layers.length), ...cells].map(textCell)]
  }),
})

const speedTable = ({ steps }: GpuReport): DataTable => ({
  title: 'Speed: milliseconds of a run, median, and to load',
  columns: [
    { title: 'model' },
    { title: 'runtime' },
    { title: 'file' },
    { title: 'rows × tokens' },
    { title: 'ms', number: true },
    { title: 'load', number: true },
  ],
  rows: steps.flatMap(({ model, runner, speed }) =>
    speed.map(({ file, batch, length, p50, load }) => [
      ...[model, runner, file, `${batch} × ${length}`].map(textCell),
      numberCell(p50, (ms) => ms.toFixed(1)),
      numberCell(load, (ms) => ms.toFixed(0)),
    ]),
  ),
})

const stepsTable = ({ steps }: GpuReport): DataTable => ({
  title: 'Steps',
  columns: [{ title: 'model' }, { title: 'runtime' }, { title: '' }, { title: 's', number: true }, { title: 'why' }],
  rows: steps.map(({ model, runner, status, seconds, reason }) =>
    [model, runner, STATUS[status], status === 'skipped' ? '' : String(seconds), reason ?? ''].map(textCell),
  ),
})

/** Lines on the machine. */
export const headOf = ({ version, node, system, nvidia, adapters, date, seconds, complete }: GpuReport): string[] => [
  `albertkit ${version}, node ${node}, ${system.platform} ${system.release} ${system.arch}, ${date}, ${seconds} s` +
    (complete ? '' : ' (unfinished)'),
  `${system.cpu}, ${system.threads} threads, ${bytes(system.memory)} of memory`,
  `NVIDIA: ${nvidia === null ? 'none' : `${nvidia.device}, driver ${nvidia.driver}`}`,
  `WebGPU adapters: ${adapters.length === 0 ? 'none' : adapters.join(', ')}`,
]

/** Sentence on the result. */
export function verdictOf({ ok, steps, runtimes }: GpuReport): string {
  const ran = steps.filter(({ runner, status }) => status !== 'skipped' && runtimes.some(({ name }) => name === runner))
  if (ran.length === 0) return 'no GPU runtime ran'
  const bad = ran.filter(({ status }) => status !== 'ok').map(({ model, runner }) => `${model} in ${runner}`)
  return ok ? `${ran.length} steps ran, all within bounds` : `NOT right: ${bad.join('; ')}`
}

const tablesOf = (report: GpuReport): DataTable[] =>
  [runtimesTable, parityTable, layersTable, speedTable, stepsTable]
    .map((make) => make(report))
    .filter(({ rows }) => rows.length > 0)

/** Renders the report as text. */
export const gpuText = (report: GpuReport, width: number): string =>
  [...headOf(report), '', tablesText(tablesOf(report), width), '', verdictOf(report)].join('\n')

/** Renders the report as Markdown. */
export const gpuMarkdown = (report: GpuReport): string =>
  [
    `# ${report.nvidia?.device ?? report.adapters[0] ?? 'No GPU'}`,
    '',
    ...headOf(report).map((line) => `- ${line}`),
    '',
    tablesMarkdown(tablesOf(report)),
    '',
    verdictOf(report),
    '',
  ].join('\n')
