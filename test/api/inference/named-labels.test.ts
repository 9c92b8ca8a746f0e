import { describe, expect, it } from 'vitest'
import { namedLabels } from '../../../src/api/inference/evaluate-labels.js'

describe('labels of a line with several', () => {
  const CLASSES = ['toxic', 'very bad', 'threat']

  it('are joined by commas, bars or spaces, or given as a 0 or 1 for each class', () => {
    for (const given of ['toxic,threat', 'toxic | threat', 'threat toxic', '1 0 1', '1,0,1'])
      expect(namedLabels(given, CLASSES), given).toEqual(['toxic', 'threat'])
    expect(namedLabels('very bad', CLASSES)).toEqual(['very bad'])
    expect(namedLabels(' ', CLASSES)).toEqual([])
  })

  it('are as they are written if the classes are not known, or others', () => {
    expect(namedLabels('a|b, c d', null)).toEqual(['a', 'b', 'c', 'd'])
    expect(namedLabels('a,b', CLASSES)).toEqual(['a', 'b'])
    expect(namedLabels('', null)).toEqual([])
  })
})
