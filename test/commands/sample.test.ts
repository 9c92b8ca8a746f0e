import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { packageFolder } from '../../src/base/version.js'
import { withSample } from '../../src/commands/common/sample.js'
import { albertkit } from '../helpers/run.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-sample-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

it('the sample model of the examples is found from an empty directory', async () => {
  const { code, stdout } = await albertkit(['inspect', 'fixtures/zh-news', '--json'], { cwd: folder })
  expect([code, (JSON.parse(stdout) as { family: string }).family]).toEqual([0, 'zh'])
})

it('other paths, absent files, and paths that are written stay as they are', () => {
  const args = ['fixtures/zh-news/none.tsv', 'fixtures/other', '-o', 'fixtures/zh-news', 'zh-news', '--json']
  expect(withSample(args, packageFolder())).toEqual(args)
})

it("the user's own fixtures come first", async () => {
  mkdirSync(join(folder, 'fixtures/zh-news'), { recursive: true })
  writeFileSync(join(folder, 'fixtures/zh-news/vocab.txt'), '')
  const { code } = await albertkit(['inspect', 'fixtures/zh-news'], { cwd: folder })
  expect(code).not.toBe(0)
})
