import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { ExistingOutput } from '../../../src/api/convert/existing.js'
import { openModel } from '../../../src/api/open/open.js'
import { portable } from '../../../src/export/manifest.js'
import { ZH_NEWS } from '../../helpers/shared.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-existing-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

it('forms that stay although the model is another are named', async () => {
  const opened = await openModel(ZH_NEWS)
  opened.close()
  const { config } = opened
  const has = (other: object): void => {
    const artefacts = { tfjs: { task: 'classify', files: [] }, onnx: { task: 'classify', files: [] } }
    writeFileSync(
      join(folder, 'albertkit.json'),
      JSON.stringify({ artefacts, config: { ...portable(config), ...other } }),
    )
  }
  const [onnx, tfjs] = [{ key: 'onnx' }, { key: 'tfjs' }]
  expect(ExistingOutput.read(folder).foreignNotes([onnx], config)).toEqual([])
  has({})
  expect(ExistingOutput.read(folder).foreignNotes([onnx], config)).toEqual([])
  has({ hidden_size: 1 })
  expect(ExistingOutput.read(folder).foreignNotes([onnx], config)).toEqual([
    expect.stringMatching(/^tfjs stays as it was/),
  ])
  expect(ExistingOutput.read(folder).foreignNotes([onnx, tfjs], config)).toEqual([])
})
