import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inspectModel } from '../../src/api/inspect/inspect.js'
import type * as Browser from '../../src/browser-entry.js'
import { toJsonText } from '../../src/base/json-text.js'
import { AlbertkitError } from '../../src/base/errors.js'
import { CHROMIUM } from '../helpers/gpu.js'
import { ROOT } from '../helpers/run.js'
import { hasShared, SHARED } from '../helpers/shared.js'
import { below, openWebPage, type WebPage } from '../helpers/web-page.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-web-formats-'))
const FORMATS = join(ROOT, 'test/fixtures/formats')

const inside = (path: string): string[] => readdirSync(path).map((name) => join(path, name))

/** Models of every container; with ALBERTKIT_WEB_FIXTURES also what people had, which takes minutes. */
const MODELS = [
  ...inside(FORMATS).flatMap((path) => (['h5', 'keras', 'tf-models'].includes(basename(path)) ? inside(path) : [path])),
  ...(hasShared && process.env.ALBERTKIT_WEB_FIXTURES !== undefined
    ? ['tf', 'hf', 'field'].flatMap((group) => inside(join(SHARED, group)))
    : []),
].filter((path) => !/\.(md|json|ckpt\.data.*)$|h5-hang/.test(path))

/** A file at which the HDF5 library never returns. */
const HANGS = join(FORMATS, 'h5-hang-1')

let web: WebPage
beforeAll(async () => {
  if (CHROMIUM === null) return
  const files = MODELS.flatMap((path, i) =>
    statSync(path).isDirectory()
      ? below(path, `models/${i}/${basename(path)}`)
      : [[`models/${i}/${basename(path)}`, path] as [string, string]],
  )
  web = await openWebPage(folder, [...files, ...below(HANGS, `models/hangs`)])
}, 60_000)
afterAll(async () => {
  await (web as WebPage | undefined)?.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Asked {
  readonly name: string
  readonly files: readonly (readonly [path: string, url: string])[]
}

/** Runs in the page: what a model is, or why that cannot be said. */
async function inspectInPage({ name, files }: Asked) {
  const page = globalThis as unknown as { albertkit: typeof Browser; kit?: Browser.Kit }
  const kit = (page.kit ??= page.albertkit.openKit())
  const blobs = await Promise.all(files.map(async ([, url]) => (await fetch(url)).blob()))
  const [[first] = ['']] = files
  const path =
    first === ''
      ? await kit.add(new File([blobs[0]!], name))
      : await kit.add(new Map(files.map(([at], i) => [at, blobs[i]!])), { name })
  try {
    return page.albertkit.toJsonText(await kit.inspectModel(path))
  } catch (error) {
    const { code, message } = error as Browser.AlbertkitError
    return `${code}: ${message}`
  } finally {
    await kit.remove(path)
  }
}

/** The same here. */
async function inspectHere(path: string): Promise<string> {
  try {
    return toJsonText(await inspectModel(path))
  } catch (error) {
    if (!(error instanceof AlbertkitError)) throw error
    return `${error.code}: ${error.message}`
  }
}

describe.skipIf(CHROMIUM === null)('in Chromium', () => {
  it('models of every container are what they are in Node', async () => {
    expect(MODELS.length).toBeGreaterThan(10)
    const different: string[] = []
    for (const [i, path] of MODELS.entries()) {
      const name = basename(path)
      const files = statSync(path).isDirectory()
        ? below(path, '').map(([at]) => [at.slice(1), `models/${i}/${name}${at}`] as const)
        : [['', `models/${i}/${name}`] as const]
      const there = await web.page.evaluate(inspectInPage, { name, files })
      const here = (await inspectHere(path)).replaceAll(path, name)
      if (there !== here) different.push(`${path}\n${there.slice(0, 300)}\n${here.slice(0, 300)}`)
    }
    expect(different).toEqual([])
  })

  it('a file at which a library never returns is damaged', async () => {
    const files = below(HANGS, '').map(([at]) => [at.slice(1), `models/hangs${at}`] as const)
    expect(await web.page.evaluate(inspectInPage, { name: 'hangs', files })).toBe(
      'limit-exceeded: reading the file found no end',
    )
    expect(web.wrong).toEqual([])
  })
})
