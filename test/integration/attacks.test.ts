import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { ATTACKS, AttackBench, hasAttacks, limited, nameOfAttack, readAttacks } from '../helpers/attacks.js'

/**
 * Every check of ../shared/fixtures/attacks/expect.json. `ATTACKS=12,13` tries the checks of these findings alone.
 */

if (!hasAttacks) console.warn('../shared/fixtures/attacks is absent: its checks are skipped')

/** Checks that do not hold yet, a name a line. One that holds fails the test until it is taken off the list. */
const PENDING_FILE = fileURLToPath(new URL('attacks-pending.txt', import.meta.url))
const PENDING = new Set(
  (existsSync(PENDING_FILE) ? readFileSync(PENDING_FILE, 'utf8') : '').split('\n').filter((line) => line !== ''),
)
const WANTED = process.env.ATTACKS?.split(',').map(Number)

/** As on the two cores for which the seconds of the checks are meant. */
const twoAtATime = limited(2)
/** Checks wait for each other. */
const TIMEOUT = 1_200_000

describe.skipIf(!hasAttacks)('files that are made to hurt a reader', { timeout: TIMEOUT }, () => {
  if (!hasAttacks) return
  const bench = new AttackBench(ATTACKS)
  afterAll(() => {
    bench.remove()
  })

  it('lists only checks as pending that exist', () => {
    const names = new Set(readAttacks(ATTACKS).map(nameOfAttack))
    expect([...PENDING].filter((name) => !names.has(name))).toEqual([])
  })

  for (const check of readAttacks(ATTACKS)) {
    const name = nameOfAttack(check)
    const pending = PENDING.has(name)
    it.skipIf(WANTED?.includes(check.finding) === false).concurrent(pending ? `${name} (pending)` : name, async () => {
      const wrong = await twoAtATime(() => bench.try(check))
      if (pending) expect(wrong, 'this check holds now: take it off attacks-pending.txt').not.toBe('')
      else expect(wrong).toBe('')
    })
  }
})
