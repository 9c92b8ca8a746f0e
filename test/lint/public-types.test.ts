import { describe, expect, it } from 'vitest'
import { apiText, ENTRIES, makeProgram, readPublicApi, unnamedTypes } from '../helpers/public-api.js'

describe('the public API', () => {
  const program = makeProgram()

  it.each(ENTRIES)('src/%s exports every type that its user can reach', (entry) => {
    expect(unnamedTypes(readPublicApi(entry, program))).toEqual([])
  })

  // A change of the API is seen in a diff: `npx vitest run test/lint/public-types.test.ts -u` writes these files anew.
  it.each(ENTRIES)('src/%s exports what the snapshot says', async (entry) => {
    const text = apiText(readPublicApi(entry, program))
    expect(text).not.toMatch(/^\S+\n {2}$/m)
    await expect(text).toMatchFileSnapshot(`public-api.${entry.replace('.ts', '')}.txt`)
  })
})
