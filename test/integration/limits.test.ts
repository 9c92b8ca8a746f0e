import { beforeAll, describe, expect, it } from 'vitest'
import { kinds } from '../../scripts/limits/kinds.js'
import { baselines, measure } from '../../scripts/limits/measure.js'
import { limited } from '../helpers/attacks.js'

/**
 * Reading, identification and `inspect` take a second and 0.2 µs a byte of header, and 64 MiB, twice the largest tensor and
 * eight times the header; of texts, `tokenize`. `npm run limits` prints the figures. What is quadratic misses the bounds
 * by a factor of ten or more; a slow or busy machine may take three times as long.
 */
const BUSY = 3
const SLACK_MIB = 16
/** Files beyond are measured by the script alone: they take seconds to make and to read. */
const MOST_BYTES = 24_000_000

const twoAtATime = limited(2)
let base: Awaited<ReturnType<typeof baselines>>
beforeAll(async () => {
  base = await baselines()
})

describe.each(Object.entries(kinds))('%s', { timeout: 1_200_000 }, (name, kind) => {
  it.concurrent.each(kind.sizes.slice(1).map((size) => [size] as const))('%d', async (size) => {
    const bytes = Object.values(kind.make(size)).reduce((sum, { length }) => sum + length, 0)
    if (size !== kind.sizes[1] && bytes > MOST_BYTES) return
    const { code, cpu, mebibytes, allowed, said } = await twoAtATime(() =>
      measure(kind, size, kind.tokenize === true ? base.tokenize : base.inspect),
    )
    expect([0, 2, 3, 4], said).toContain(code)
    expect(cpu, `seconds of computing: ${said}`).toBeLessThan(BUSY * allowed.cpu)
    expect(mebibytes, `MiB: ${said}`).toBeLessThan(allowed.mebibytes + SLACK_MIB)
  })
})
