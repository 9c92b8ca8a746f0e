import { expect, it } from 'vitest'
import { memoryFiles } from '../../../src/files/memory.js'
import { readAll } from '../../../src/formats/core/source.js'
import { openTorch } from '../../../src/formats/torch/source.js'
import { renamed } from '../../../src/formats/views/renamed.js'
import { torchZip } from '../../helpers/torch.js'

it('gives tensors other names, leaves out those without one, and reads the same bytes', async () => {
  const bytes = (value: number): Uint8Array => new Uint8Array(new Float32Array([value, value]).buffer)
  const file = await torchZip(['a.kept', 'a.left', 'b.kept'].map((name, i) => ({ name, shape: [2], bytes: bytes(i) })))
  const stored = openTorch(memoryFiles([['model.pt', file]]), 'model.pt')
  const source = renamed(stored, (name) => (name.endsWith('.left') ? null : name.toUpperCase()))
  expect([...source.tensors].map(([name, info]) => [name, info.name, info.shape])).toEqual([
    ['A.KEPT', 'A.KEPT', [2]],
    ['B.KEPT', 'B.KEPT', [2]],
  ])
  expect(readAll(source, 'B.KEPT')).toEqual(readAll(stored, 'b.kept'))
  source.verifyChecksum('A.KEPT')
  expect(() => {
    source.verifyChecksum('a.left')
  }).toThrow('no tensor named a.left')
  expect([source.format, source.files, source.missingFiles]).toEqual(['torch', ['model.pt'], []])
  source.close()
  expect(() => readAll(stored, 'a.kept')).toThrow()
})
