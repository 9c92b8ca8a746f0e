import type { GpuReport, GpuStep } from '../../api/gpu-report/report.js'
import { scientific } from '../format.js'
import { tablesMarkdown, textCell, type DataTable } from '../tables.js'
import { adapterOf, headOf, verdictOf } from './gpu.js'

/** Section of a document on the GPUs of one machine: every step that ran on a line, then what did not run and why. */

const ELEMENTS = ['f32', 'f16', 'int8', 'int4']

/** The largest difference and its bound, of a type of weights. */
function parityCell({ parity }: GpuStep, dtype: string): string {
  const found = parity.find((one) => one.dtype === dtype)
  if (found === undefined) return ''
  return `${scientific(found.maxAbs)} of ${scientific(found.atol)}${found.ok ? '' : ' DIFFERS'}`
}

/** Milliseconds of the float32 file on the most rows. */
function speedCell({ speed }: GpuStep): string {
  const [first] = speed
  const own = speed.filter(({ file }) => file === first?.file)
  const largest = own.reduce<(typeof own)[number] | null>(
    (most, one) => (one.batch > (most?.batch ?? 0) ? one : most),
    null,
  )
  return largest === null ? '' : `${largest.p50.toFixed(1)} (${largest.batch} × ${largest.length})`
}

const stepsTable = (steps: readonly GpuStep[]): DataTable => ({
  title: '',
  columns: ['model', 'runtime', 'result', ...ELEMENTS, 'ms (rows × tokens)'].map((title) => ({ title })),
  rows: steps.map((step) =>
    [
      step.model,
      step.runner,
      step.status === 'failed' ? `failed: ${step.reason ?? ''}` : step.status,
      ...ELEMENTS.map((dtype) => parityCell(step, dtype)),
      speedCell(step),
    ].map(textCell),
  ),
})

/** Lines on what was left out: runtimes with the same reason for the same models together. */
function leftOut({ steps }: GpuReport): string[] {
  const models = new Set(steps.map(({ model }) => model))
  const lines = new Map<string, string[]>()
  for (const runner of new Set(steps.map((step) => step.runner))) {
    const skipped = steps.filter((step) => step.runner === runner && step.status === 'skipped')
    for (const reason of new Set(skipped.map((step) => step.reason ?? ''))) {
      const own = skipped.filter((step) => step.reason === reason).map(({ model }) => model)
      const line = `${own.length === models.size ? '' : ` with ${own.join('; ')}`}: ${reason}`
      lines.set(line, [...(lines.get(line) ?? []), `\`${runner}\``])
    }
  }
  return [...lines].map(([line, runners]) => `- not run: ${runners.join(', ')}${line}`)
}

/** Renders the section of a report. */
export function gpuSection(report: GpuReport): string {
  const ran = report.steps.filter(({ status }) => status !== 'skipped')
  const adapters = [...new Set(ran.map(adapterOf).filter((text) => text !== ''))]
  return [
    `### ${report.nvidia?.device ?? report.adapters[0] ?? 'No GPU'}, ${report.date.slice(0, 10)}`,
    '',
    ...headOf(report).map((line) => `- ${line}`),
    ...adapters.map((adapter) => `- adapter: ${adapter}`),
    ...leftOut(report),
    '',
    'Largest difference from the float64 reference of the output nearest to its bound, and that bound, by the weights:',
    '',
    tablesMarkdown([stepsTable(ran)]),
    '',
    `In all: ${verdictOf(report)}.`,
    '',
  ].join('\n')
}
