import { fileURLToPath } from 'node:url'
import { expect, it, vi } from 'vitest'
import { openSource } from '../../../src/api/open/source.js'

vi.mock('h5wasm', () => {
  throw new Error('Cannot find package')
})

it('without the package, the error says what to install', async () => {
  const path = fileURLToPath(new URL('../../fixtures/formats/h5/TFBertModel/tf_model.h5', import.meta.url))
  const error: unknown = await openSource(path).catch((e: unknown) => e)
  expect(error).toMatchObject({ kind: 'environment', exitCode: 6, hint: 'npm install h5wasm', place: { file: path } })
})
