import { writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect } from 'vitest'
import { AlbertkitError } from '../../src/base/errors.js'
import { openSource } from '../../src/api/open/source.js'
import { readAll } from '../../src/formats/core/source.js'
import { graphFacts } from '../../src/model/load/graph-facts.js'

/** Damage that no checksum finds: whatever is read, nothing but a typed error comes out, and soon. */

/** Opens and reads all that has a sane size; checksums are off, so that damage gets as far as it can. */
async function readEverything(path: string): Promise<void> {
  const source = await openSource(path, { checksum: false })
  try {
    for (const { name, dtype, byteLength } of source.tensors.values())
      if (byteLength < 1e6 && dtype !== 'STRING' && dtype !== 'VARIANT' && dtype !== 'OTHER') readAll(source, name)
    if (source.graph !== undefined) graphFacts(source.graph.nodes())
  } finally {
    source.close()
  }
}

/** Changes a byte anywhere, or in the structure (the first `header` or last `footer` bytes), or cuts off the end. */
const damage = (bytes: Buffer, header: number, footer: number): fc.Arbitrary<Buffer> => {
  const last = bytes.length - 1
  const place = fc.oneof(
    fc.nat(last),
    fc.nat(Math.min(last, header)),
    fc.integer({ min: Math.max(0, last - footer), max: last }),
  )
  const changed = fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 4 }).map((changes) => {
    const copy = Buffer.from(bytes)
    for (const [at, value] of changes) copy[at] = value
    return copy
  })
  return fc.oneof(
    { weight: 3, arbitrary: changed },
    { weight: 1, arbitrary: fc.nat(last).map((n) => bytes.subarray(0, n)) },
  )
}

export interface FuzzOptions {
  /** What to open; the file itself if left out. */
  readonly open?: string
  /** Bytes at the start and the end that are changed more often than others. */
  readonly header?: number
  readonly footer?: number
  readonly runs?: number
  /** Longest that one reading may take, in milliseconds. */
  readonly limit?: number
}

/** Writes `bytes` to `file` damaged in many ways; each must be read, or end in a typed error of a bad file, in time. */
export async function fuzz(file: string, bytes: Buffer, options: FuzzOptions = {}): Promise<void> {
  const { open = file, header = 2048, footer = 1024, runs = 60, limit = 5000 } = options
  writeFileSync(file, bytes)
  await readEverything(open)
  let failed = 0
  await fc.assert(
    fc.asyncProperty(damage(bytes, header, footer), async (changed) => {
      writeFileSync(file, changed)
      const start = performance.now()
      try {
        await readEverything(open)
      } catch (error) {
        if (!(error instanceof AlbertkitError)) throw error
        expect([3, 4], error.message).toContain(error.exitCode)
        expect(error.place.file, error.message).toBeTruthy()
        failed++
      }
      expect(performance.now() - start).toBeLessThan(limit)
    }),
    { numRuns: Number(process.env.ALBERTKIT_FUZZ_RUNS ?? runs) },
  )
  // Damage that never shows would prove nothing.
  expect(failed).toBeGreaterThan(0)
}
