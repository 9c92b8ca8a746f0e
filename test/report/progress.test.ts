import { expect, it } from 'vitest'
import { duration, progressText } from '../../src/report/progress.js'

it('prints progress, rate and, if known, the remaining time', () => {
  expect(progressText(12_800, 4, 0.25)).toBe('12,800 lines, 3,200 lines/s, 25 %, 0:12 left')
  expect(progressText(12_800, 4, null)).toBe('12,800 lines, 3,200 lines/s')
  expect(progressText(0, 0, 0)).toBe('0 lines, 0 lines/s')
  expect([duration(59.6), duration(3599), duration(7384)]).toEqual(['1:00', '59:59', '2:03:04'])
})
