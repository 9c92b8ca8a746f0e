import { readFileSync, rmSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'
import { afterAll, describe, expect, it } from 'vitest'
import { countParameters, openModel, readAll, runReference } from '../../src/index.js'
import { findBrowser } from '../../src/runtime/browser/find.js'
import { ROOT } from '../helpers/run.js'
import { ZH_NEWS } from '../helpers/shared.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-model-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

function browserHere(): string | null {
  try {
    return findBrowser()
  } catch {
    console.warn('there is no Chrome or Chromium: albertkit/model is not run in one')
    return null
  }
}
const program = browserHere()

/** `albertkit/model` as a script of a page, in which `albertkit` is what it exports. */
async function bundle(): Promise<string> {
  const { outputFiles, warnings } = await build({
    entryPoints: [join(ROOT, 'dist/model-entry.js')],
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'iife',
    globalName: 'albertkit',
    logLevel: 'silent',
  })
  expect(warnings.map(({ id, location }) => `${id} ${location?.file ?? ''}`)).toEqual([])
  return outputFiles[0]!.text
}

const INPUTS = {
  batch: 1,
  sequence: 6,
  input_ids: [2, 3976, 932, 2267, 3993, 3],
  attention_mask: [1, 1, 1, 1, 1, 1],
  token_type_ids: [0, 0, 0, 1, 1, 1],
}
const HEADS = { mlm: false, sop: false, classifier: true, qa: false }

describe('albertkit/model', () => {
  it('bundles for a browser without a module of Node', async () => {
    // esbuild fails on what a browser does not have.
    const text = await bundle()
    expect(text).not.toMatch(/\bnode:|\brequire\(/)
  })

  it('and albertkit bundles for Node without a warning', async () => {
    const { warnings } = await build({
      entryPoints: [join(ROOT, 'dist/index.js')],
      bundle: true,
      write: false,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      logLevel: 'silent',
    })
    expect(warnings.map(({ id, location }) => `${id} ${location?.file ?? ''}`)).toEqual([])
  })

  it.skipIf(program === null)('identifies, counts and runs a model in a browser, as Node does', async () => {
    const opened = await openModel(ZH_NEWS)
    const { source, model, rawConfig } = opened
    const here = { ...INPUTS, ...typed(INPUTS) }
    const expected = runReference(model, source, here, HEADS).get('logits')!
    const parameters = countParameters(model, source).stored
    const tensors = [...source.tensors.values()].map(({ name, dtype, shape }) => ({
      name,
      dtype,
      shape,
      bytes: Buffer.from(readAll(source, name)).toString('base64'),
    }))
    opened.close()
    const page = join(folder, 'index.html')
    writeFileSync(page, `<!doctype html><script src="model.js"></script>`)
    writeFileSync(join(folder, 'model.js'), await bundle())
    const browser = await chromium.launch({ executablePath: program!, args: ['--no-sandbox'] })
    try {
      const tab = await browser.newPage()
      await tab.goto(pathToFileURL(page).href)
      const fields = JSON.parse(readFileSync(rawConfig.file, 'utf8')) as Record<string, unknown>
      const found = await tab.evaluate(runInPage, { tensors, fields, inputs: INPUTS, heads: HEADS })
      expect(found.family).toBe('zh')
      expect(found.parameters).toBe(parameters)
      expect(found.logits).toHaveLength(10)
      found.logits.forEach((x, i) => {
        expect(Math.abs(x - expected.data[i]!)).toBeLessThan(1e-12)
      })
    } finally {
      await browser.close()
    }
  })
})

function typed({ input_ids, attention_mask, token_type_ids }: typeof INPUTS) {
  return {
    input_ids: Int32Array.from(input_ids),
    attention_mask: Int32Array.from(attention_mask),
    token_type_ids: Int32Array.from(token_type_ids),
  }
}

interface PageInput {
  readonly tensors: readonly { name: string; dtype: string; shape: readonly number[]; bytes: string }[]
  readonly fields: Record<string, unknown>
  readonly inputs: typeof INPUTS
  readonly heads: typeof HEADS
}

/** Runs in the page: nothing of this module is known there. */
function runInPage({ tensors, fields, inputs, heads }: PageInput) {
  const kit = (globalThis as unknown as { albertkit: typeof import('../../src/model-entry.js') }).albertkit
  const bytes = new Map(tensors.map((t) => [t.name, Uint8Array.from(atob(t.bytes), (c) => c.charCodeAt(0))]))
  const infos = tensors.map(({ name, dtype, shape }) => ({
    name,
    dtype: dtype as 'F32',
    shape,
    byteLength: bytes.get(name)!.length,
    file: 'memory',
    offset: 0,
  }))
  const source = {
    format: 'memory',
    files: [],
    tensors: new Map(infos.map((info) => [info.name, info])),
    read: (name: string, start: number, target: Uint8Array) => {
      target.set(bytes.get(name)!.subarray(start, start + target.length))
    },
    close: () => undefined,
  } as never as Parameters<typeof kit.identify>[0]
  const raw = { file: 'config', fields }
  const identification = kit.identify(source, raw)
  const config = kit.parseConfig(raw, identification.table.family, identification.table.architecture)
  const { model } = kit.planModel(source, identification, config)
  const run = {
    ...inputs,
    input_ids: Int32Array.from(inputs.input_ids),
    attention_mask: Int32Array.from(inputs.attention_mask),
    token_type_ids: Int32Array.from(inputs.token_type_ids),
  }
  return {
    family: config.family as string,
    parameters: kit.countParameters(model, source).stored,
    logits: [...kit.runReference(model, source, run, heads).get('logits')!.data],
  }
}
