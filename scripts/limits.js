// Measures what files made to cost time or memory take: node scripts/limits.js [--kind PART] [--size N]
// Exit code 1 if a command takes more than a second and 0.2 µs a byte of processor time, or more than 64 MiB, twice the largest
// tensor and eight bytes a byte beyond what it takes for a tiny model.
import { parseArgs } from 'node:util'
import { kinds } from './limits/kinds.js'
import { baselines, measure } from './limits/measure.js'

const { values } = parseArgs({ options: { kind: { type: 'string', default: '' }, size: { type: 'string' } } })
const tiny = await baselines()
let broken = 0
console.log('kind | size | bytes | exit | seconds (allowed) | MiB (allowed)')
for (const [name, kind] of Object.entries(kinds).filter(([name]) => name.includes(values.kind)))
  for (const size of values.size === undefined ? kind.sizes : [Number(values.size)]) {
    const base = kind.tokenize ? tiny.tokenize : tiny.inspect
    const { bytes, code, cpu, mebibytes, allowed, said } = await measure(kind, size, base)
    const isBroken = cpu > allowed.cpu || mebibytes > allowed.mebibytes || ![0, 2, 3, 4].includes(code)
    if (isBroken) broken++
    const figures = [
      `${cpu.toFixed(2)} (${allowed.cpu.toFixed(2)})`,
      `${mebibytes.toFixed(0)} (${allowed.mebibytes.toFixed(0)})`,
    ]
    console.log([isBroken ? `BROKEN ${name}` : name, size, bytes, code, ...figures, said.slice(0, 90)].join(' | '))
  }
if (broken > 0) process.exitCode = 1
