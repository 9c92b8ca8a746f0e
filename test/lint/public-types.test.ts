import { describe, expect, it } from 'vitest'
import { readPublicApi, unnamedTypes } from '../helpers/public-api.js'

describe('the public API', () => {
  it.each(['index.ts'])('exports every type that a user of src/%s can reach', (entry) => {
    expect(unnamedTypes(readPublicApi(entry))).toEqual([])
  })
})
