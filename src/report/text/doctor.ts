import { escapeAll } from '../../base/escape.js'
import type { DoctorReport } from '../../api/doctor/report.js'
import { bytes, scientific } from '../format.js'
import { installCommand } from '../../base/install-command.js'
import { table } from '../table.js'

const FASTEST = 'onnxruntime-node'

type Health = DoctorReport['runtimes'][number]

const STATUS = { works: 'works', software: 'software', absent: 'not here', broken: 'BROKEN' } as const

const onWhat = ({ adapter }: Health): string =>
  adapter === null ? '' : ` on ${adapter.vendor} ${adapter.device} (driver ${adapter.driver})`

function runtimeRow(health: Health): string[] {
  const { name, required, status, detail, maxAbs, reason } = health
  const what = detail === null ? (reason ?? '') : `${detail}${onWhat(health)}${reason === null ? '' : `: ${reason}`}`
  return [name, required ? 'required' : '', STATUS[status], detail === null ? '' : scientific(maxAbs), what]
}

/** Advice for runtimes that do not work, each piece once with the names of its runtimes. */
function fixes(runtimes: readonly Health[]): string[] {
  const byFix = new Map<string, string[]>()
  for (const { name, fix } of runtimes) if (fix !== null) byFix.set(fix, [...(byFix.get(fix) ?? []), name])
  return [...byFix].map(([fix, names]) => `${names.join(', ')}: ${fix}`)
}

/** Warning if the fastest runtime for text is not installed or does not load. */
function slow({ packages, runtimes }: DoctorReport): string[] {
  const absent = packages.some((p) => p.name === FASTEST && p.version === null)
  const onnxruntime = runtimes.find((r) => r.name === 'onnxruntime')
  if (onnxruntime?.detail?.startsWith(FASTEST) === true) return []
  const why = absent ? 'is not installed' : 'does not load'
  return [`slow: ${FASTEST} ${why}, text is read about 4 × slower; ${installCommand(FASTEST)}`]
}

/** Renders the report of `doctor` as text. */
export function doctorText(raw: DoctorReport, width: number): string {
  const report = escapeAll(raw)
  const { node, system, adapters, runtimes, packages } = report
  const missing = packages.filter((p) => p.version === null)
  const advice = fixes(runtimes)
  const broken = runtimes.filter((r) => r.required && r.status !== 'works').map((r) => r.name)
  return [
    `albertkit ${report.version}, node ${node.version} (${node.ok ? 'fine' : `needs ${node.required}`}), ` +
      `${system.platform} ${system.arch}`,
    `${system.cpu}, ${system.threads} threads, ${bytes(system.memory)} of memory, ${bytes(system.freeMemory)} free`,
    `WebGPU adapters: ${adapters.length === 0 ? 'none' : adapters.join(', ')}`,
    '',
    table(runtimes.map(runtimeRow), {
      head: ['runtime', '', '', 'max |Δ|', 'what runs, or why not'],
      right: [3],
      width,
    }),
    '',
    table(
      packages.map(({ name, version, purpose }) => [name, version ?? 'not installed', purpose]),
      { head: ['optional package', 'version', 'for'] },
    ),
    ...(advice.length === 0 && missing.length === 0 ? [] : ['', 'to make more runtimes work:']),
    ...advice.map((line) => `  ${line}`),
    ...(missing.length === 0 ? [] : [`  ${installCommand(...missing.map((p) => p.name))}`]),
    '',
    ...slow(report),
    report.ok
      ? 'everything that is required works'
      : `NOT fit: ${[...(node.ok ? [] : ['node']), ...broken].join(', ')}`,
  ].join('\n')
}
