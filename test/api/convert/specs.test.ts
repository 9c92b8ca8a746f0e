import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../../src/api/convert/convert.js'
import { artefactSpecs } from '../../../src/api/convert/specs.js'
import type { Precision } from '../../../src/base/artefact-layout.js'
import { BASE } from '../../helpers/sentence-folders.js'

const keys = (choices: readonly string[], dtypes?: readonly Precision[]): string[] =>
  artefactSpecs(choices, dtypes).map(({ key, precision, isAsked }) => `${key} ${precision}${isAsked ? '' : ' default'}`)

describe('targets and their element types', () => {
  it.each<[string[], Precision[], string[]]>([
    [['tfjs'], [], ['tfjs f32 default']],
    [['tfjs', 'onnx:f32,f16,int8'], [], ['tfjs f32 default', 'onnx f32', 'onnx-f16 f16', 'onnx-int8 int8']],
    [['onnx:int8', 'onnx:f32'], [], ['onnx-int8 int8', 'onnx f32']],
    [['onnx:fp32,fp16,q8,q4'], [], ['onnx f32', 'onnx-f16 f16', 'onnx-int8 int8', 'onnx-int4 int4']],
    [['onnx', 'tfjs:uint8'], ['f16'], ['onnx-f16 f16', 'tfjs uint8']],
    [['onnx', 'onnx'], ['f16', 'f16'], ['onnx-f16 f16']],
    [['safetensors:bf16', 'tf'], [], ['safetensors bf16', 'tf f32 default']],
  ])('%j with %j', (choices, dtypes, expected) => {
    expect(keys(choices, dtypes)).toEqual(expected)
  })

  it.each<[string, string, string | RegExp]>([
    ['onxx', 'option-invalid', 'did you mean onnx?'],
    ['onnx:', 'option-invalid', ''],
    ['onnx:f61', 'option-invalid', 'did you mean onnx:f16?'],
    ['onnx:uint8', 'option-invalid', ''],
    ['tfjs:f32,f16', 'option-conflict', 'separate directories'],
    ['tf:f16', 'option-conflict', "keeps the source's"],
  ])('%s is refused', (choice, code, hint) => {
    expect(() => keys([choice])).toThrow(
      expect.objectContaining({
        kind: 'usage',
        code,
        ...(hint === '' ? {} : { hint: expect.stringContaining(hint as string) as string }),
      }),
    )
  })

  it('are written in one call', async () => {
    const out = mkdtempSync(join(tmpdir(), 'albertkit-specs-'))
    afterAll(() => {
      rmSync(out, { recursive: true, force: true })
    })
    const report = await convertModel(BASE, join(out, 'out'), {
      targets: ['tfjs:f16', 'onnx:f32,int8', 'safetensors:bf16'],
      minAgreement: 0,
    })
    expect(report.ok).toBe(true)
    for (const name of ['tfjs/model.json', 'onnx/model.onnx', 'onnx/model_int8.onnx', 'model.safetensors'])
      expect([name, existsSync(join(out, 'out', name))]).toEqual([name, true])
    const { artefacts } = JSON.parse(readFileSync(join(out, 'out/albertkit.json'), 'utf8')) as {
      artefacts: Record<string, { dtype?: string }>
    }
    expect(Object.entries(artefacts).map(([key, { dtype }]) => [key, dtype])).toEqual([
      ['onnx', undefined],
      ['onnx-int8', 'int8'],
      ['safetensors', 'bf16'],
      ['tfjs', 'f16'],
    ])
  })
})
