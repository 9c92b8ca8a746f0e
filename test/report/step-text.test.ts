import { expect, it } from 'vitest'
import { progressStep } from '../../src/base/abort.js'
import { stepText } from '../../src/report/progress.js'

it('a step is one line: what is done, with what, and how far', () => {
  expect(stepText(progressStep('running', 'onnxruntime'))).toBe('running onnxruntime')
  expect(stepText(progressStep('comparing weights', 'tfjs'))).toBe('comparing weights of tfjs')
  expect(stepText(progressStep('reading back'))).toBe('reading back')
  expect(stepText(progressStep('writing', null, [0, 1200]))).toBe('writing (1 of 1,200)')
  expect(stepText(progressStep('running the reference', 'a', [3, 24], 'less text'))).toBe(
    'running the reference a (4 of 24); less text',
  )
})
