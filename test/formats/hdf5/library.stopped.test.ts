import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { openSource } from '../../../src/api/open/source.js'
import { readAll } from '../../../src/formats/core/source.js'

const fixture = (name: string): string => fileURLToPath(new URL(`../../fixtures/formats/${name}`, import.meta.url))

it.each(['h5-hang-1', 'h5-hang-2'])(
  '%s, at which the library loops for ever, is malformed soon; the next file is read',
  async (name) => {
    const before = await openSource(fixture('h5/TFBertModel/tf_model.h5'))
    const start = performance.now()
    await expect(openSource(fixture(`${name}/tf_model.h5`))).rejects.toMatchObject({
      kind: 'malformed',
      code: 'limit-exceeded',
    })
    expect(performance.now() - start).toBeLessThan(8000)
    // The library that was stopped may be in any state: what it had open is not read any more.
    const [first] = before.tensors.keys()
    expect(() => readAll(before, first!)).toThrow(expect.objectContaining({ kind: 'environment' }))
    before.close()
    const after = await openSource(fixture('h5/TFBertModel/tf_model.h5'))
    expect(readAll(after, first!).length).toBe(before.tensors.get(first!)?.byteLength)
    after.close()
  },
)
