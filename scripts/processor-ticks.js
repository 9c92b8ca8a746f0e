// Processor time of the browsers that a benchmark started (Linux).
import { readdirSync, readFileSync } from 'node:fs'

/** Ticks of the processor that this process's children and theirs took, by process: those of browsers. */
export function ticksOfChildren() {
  const stats = new Map()
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ')
      stats.set(name, { parent: fields[1], ticks: Number(fields[11]) + Number(fields[12]) })
    } catch {
      // It ended.
    }
  }
  const own = String(process.pid)
  const isOwn = (name) => {
    const parent = stats.get(name)?.parent
    return parent === own || (parent !== undefined && isOwn(parent))
  }
  return new Map([...stats].filter(([name]) => isOwn(name)).map(([name, { ticks }]) => [name, ticks]))
}
const TICK_MS = 10

/** Milliseconds of the processor that `body` takes in the process that works most: that of the page, or of the GPU. */
export async function timeOfPage(body) {
  const before = ticksOfChildren()
  await body()
  return TICK_MS * Math.max(...[...ticksOfChildren()].map(([name, ticks]) => ticks - (before.get(name) ?? 0)))
}
