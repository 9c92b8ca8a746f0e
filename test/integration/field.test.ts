import { describe, expect, it } from 'vitest'
import { FIELD, FIELD_HERE, hasField, nameOf, readChecks, tryCheck } from '../helpers/field.js'

if (!hasField) console.warn('../shared/fixtures/field is absent: only the cases in test/fixtures/field are tried')

function tryChecks(folder: string): void {
  for (const check of readChecks(folder))
    it(nameOf(check), async () => {
      expect(await tryCheck(folder, check)).toBe('')
    })
}

describe('cases of the field that are in the project', () => {
  tryChecks(FIELD_HERE)
})

describe.skipIf(!hasField)('cases of the field, with the answers of the genuine code', () => {
  if (!hasField) return
  tryChecks(FIELD)
})
