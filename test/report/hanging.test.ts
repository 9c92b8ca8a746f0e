import { expect, it } from 'vitest'
import { hangLines } from '../../src/report/hanging.js'

it.each([
  ['note     a text that is too long for this', 'note     a text that is too long\n         for this'],
  ['note     short', 'note     short'],
  ['         more words of the line above it', '         more words of the line\n         above it'],
  ['note     中文的说明也要按宽度换行，不能超出', 'note     中文的说明也要按宽度换\n         行，不能超出'],
  // What has columns, or no label, stays as it is: tables fit by themselves, and code can be copied.
  ["load it  onnxruntime  await create('model.onnx')", "load it  onnxruntime  await create('model.onnx')"],
  ['verified: 54 comparisons within all bounds', 'verified: 54 comparisons within all bounds'],
])('%s', (line, expected) => {
  expect(hangLines(`first\n${line}`, 32)).toBe(`first\n${expected}`)
  expect(hangLines(line, Infinity)).toBe(line)
})
