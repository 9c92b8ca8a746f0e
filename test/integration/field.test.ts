import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { FIELD, FIELD_HERE, hasField, nameOf, readChecks, tryCheck } from '../helpers/field.js'

if (!hasField) console.warn('../shared/fixtures/field is absent: only the cases in test/fixtures/field are tried')

/** Checks that do not hold yet, a name a line. One that holds fails the test until it is taken off the list. */
const PENDING = new Set(
  readFileSync(fileURLToPath(new URL('field-pending.txt', import.meta.url)), 'utf8')
    .split('\n')
    .filter((line) => line !== ''),
)

function tryChecks(folder: string): void {
  for (const check of readChecks(folder)) {
    const name = nameOf(check)
    const pending = PENDING.has(name)
    it(pending ? `${name} (pending)` : name, async () => {
      const wrong = await tryCheck(folder, check)
      if (pending) expect(wrong, 'this check holds now: take it off field-pending.txt').not.toBe('')
      else expect(wrong).toBe('')
    })
  }
}

describe('cases of the field that are in the project', () => {
  tryChecks(FIELD_HERE)
})

describe.skipIf(!hasField)('cases of the field, with the answers of the genuine code', () => {
  if (!hasField) return
  it('lists only checks as pending that exist', () => {
    const names = new Set(readChecks(FIELD).map(nameOf))
    expect([...PENDING].filter((name) => !names.has(name))).toEqual([])
  })
  tryChecks(FIELD)
})
