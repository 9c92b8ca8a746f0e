import { describe, expect, it } from 'vitest'
import * as albertkit from '../../src/index.js'
import { ZH_NEWS } from '../helpers/shared.js'

type Loose = (...args: unknown[]) => Promise<unknown>
const call = (name: string, args: readonly unknown[]): Promise<unknown> =>
  (albertkit as unknown as Record<string, Loose>)[name]!(...args)

/** Calls that no typed program can make, and the code that each gives. */
const CALLS: readonly (readonly [name: string, args: readonly unknown[], code: string])[] = [
  ['openModel', [], 'option-missing'],
  ['openModel', [1], 'option-invalid'],
  ['inspectModel', [], 'option-missing'],
  ['convertModel', [], 'option-missing'],
  ['convertModel', [ZH_NEWS], 'option-missing'],
  ['convertModel', [ZH_NEWS, 'out'], 'option-missing'],
  ['convertModel', [ZH_NEWS, 'out', {}], 'option-missing'],
  ['convertModel', [ZH_NEWS, 'out', { targets: 'onnx' }], 'option-invalid'],
  ['convertModel', [ZH_NEWS, 'out', { targets: [] }], 'option-missing'],
  ['convertModel', [ZH_NEWS, 'out', { targets: ['caffe'] }], 'option-invalid'],
  ['convertModel', [ZH_NEWS, 'out', { targets: ['onnx'], dtypes: ['f8'] }], 'option-invalid'],
  ['verifyModel', [undefined, null], 'option-missing'],
  ['benchModel', [], 'option-missing'],
  ['diffModels', [ZH_NEWS], 'option-missing'],
  ['analyseWeights', [], 'option-missing'],
  ['modelLayers', [], 'option-missing'],
  ['compareLayers', [], 'option-missing'],
  ['initModel', ['albert-base-v2'], 'option-missing'],
  ['openTextModel', [], 'option-missing'],
  ['pipeline', ['classify'], 'option-missing'],
  ['pipeline', [], 'name-unknown'],
]

describe('a call without types that forgets or mistakes an argument', () => {
  it.each(CALLS)('%s %j is a usage error', async (name, args, code) => {
    await expect(call(name, args)).rejects.toMatchObject({ name: 'AlbertkitError', kind: 'usage', code })
  })
})
