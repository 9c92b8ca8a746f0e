import { expect, it } from 'vitest'
import { duration, progressText, transferText } from '../../src/report/progress.js'

it('prints progress, rate and, if known, the remaining time', () => {
  expect(progressText(12_800, 4, 0.25)).toBe('12,800 lines, 3,200 lines/s, 25 %, 0:12 left')
  expect(progressText(12_800, 4, null)).toBe('12,800 lines, 3,200 lines/s')
  expect(progressText(0, 0, 0)).toBe('0 lines, 0 lines/s')
  expect([duration(59.6), duration(3599), duration(7384)]).toEqual(['1:00', '59:59', '2:03:04'])
})

it('prints a file that travels with its bytes, speed and the time left', () => {
  const transfer = { file: 'model.bin', present: 500_000_000, size: 2e9, fetched: 100_000_000, seconds: 4 }
  expect(transferText(transfer)).toBe('model.bin [####------------] 500.0 of 2000.0 MB, 25 %, 25.0 MB/s, 1:00 left')
  expect(transferText({ ...transfer, size: null })).toBe('model.bin 500.0 MB, 25.0 MB/s')
  expect(transferText({ ...transfer, fetched: 0 })).toBe(
    'model.bin [####------------] 500.0 of 2000.0 MB, 25 %, 0.0 MB/s',
  )
})
