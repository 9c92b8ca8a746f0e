import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { withoutPackage } from '../helpers/absent-package.js'
import { albertkit, userEnv } from '../helpers/run.js'
import { ZH_NEWS } from '../helpers/shared.js'

let folder: string
const at = (name: string): string => join(folder, name)

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'albertkit-runners-'))
  writeFileSync(at('one.txt'), '主队逆转取胜\n')
  await albertkit(['convert', ZH_NEWS, '--to', 'onnx', '--no-verify', '-o', at('onnx')])
}, 60_000)
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

it('without onnxruntime-node the fastest in wasm reads, from the artefact that exists, with a note', async () => {
  const env = userEnv({ NODE_OPTIONS: withoutPackage('onnxruntime-node', folder) })
  const read = (model: string, ...flags: string[]) =>
    albertkit(['predict', model, at('one.txt'), '--format', 'tsv', ...flags], { env })
  const [source, onnx, named] = [
    await read(ZH_NEWS),
    await read(at('onnx')),
    await read(at('onnx'), '--runner', 'onnxruntime'),
  ]
  for (const { code, stdout } of [source, onnx, named]) expect([code, stdout.split('\t')[0]]).toEqual([0, '体育'])
  expect(source.stderr).toMatch(
    /^running with @tensorflow\/tfjs-core .* on wasm\nonnxruntime-node .* about 4 × slower; .+\n$/,
  )
  expect(onnx.stderr).toMatch(/^running with onnxruntime-web .*\nonnxruntime-node .* about 4 × slower; .+\n$/)
}, 60_000)
