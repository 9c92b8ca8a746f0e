import { expect, it } from 'vitest'
import { worstBy } from '../../src/base/worst-by.js'

const of = (key: string, maxAbs: number | null, atol: number, ok = maxAbs !== null && maxAbs <= atol) => ({
  key,
  maxAbs,
  atol,
  ok,
})

it('the worst of a key uses most of its bound; one that fails is worse than any that does not, NaN than all', () => {
  const list = [of('a', 1e-6, 1e-5), of('b', 2e-6, 1e-3), of('a', 9e-6, 1e-3), of('b', 1e-7, 1e-5)]
  expect([...worstBy(list, (c) => c.key)]).toEqual([
    ['a', list[0]],
    ['b', list[3]],
  ])
  const failing = [of('a', 9e-6, 1e-5), of('a', 0, 1e-5, false), of('a', 5e-5, 1e-5), of('a', 2e-5, 1e-5)]
  expect(worstBy(failing, () => 'a').get('a')).toBe(failing[2])
  const nan = of('a', null, 1)
  expect(worstBy([...failing, nan], () => 'a').get('a')).toBe(nan)
})
