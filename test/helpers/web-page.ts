import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type * as Axe from 'axe-core'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { serveFiles, type WebServer } from '../../src/api/serve/serve-files.js'
import { workbenchFiles } from '../../src/api/serve/web-files.js'
import { CHROMIUM } from './gpu.js'

/** Chromium with the files of dist/web, and whatever a test adds. */

/** Files below a folder, by their paths under `at`. */
export function below(folder: string, at: string): [string, string][] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? below(path, `${at}/${name}`) : [[`${at}/${name}`, path] as [string, string]]
  })
}

export interface WebPage {
  readonly page: Page
  readonly server: WebServer
  readonly browser: Browser
  /** What the page complained of: errors, refused requests. */
  readonly wrong: string[]
  close(): Promise<void>
}

/**
 * Opens a page of the served files; the empty one has `albertkit/browser` as the global `albertkit`.
 * @param folder for an empty page
 * @param extra files by their paths below the page's address
 */
export async function openWebPage(
  folder: string,
  extra: readonly (readonly [string, string])[] = [],
  { path = 'empty.html', ...options }: BrowserContextOptions & { readonly path?: string } = {},
): Promise<WebPage> {
  const empty = join(folder, 'empty.html')
  const script = join(folder, 'empty.js')
  writeFileSync(empty, '<!doctype html><title>test</title><script type="module" src="empty.js"></script>')
  writeFileSync(script, "import * as module from './albertkit.js'\nglobalThis.albertkit = module\n")
  const own = [
    ['empty.html', empty],
    ['empty.js', script],
  ] as const
  const server = await serveFiles(new Map([...workbenchFiles(), ...own, ...extra]))
  return openPage(server, { path, ...options })
}

/** Opens a page of a server. @param path below the address of the server */
export async function openPage(
  server: WebServer,
  { path = '', args = [], ...options }: BrowserContextOptions & PageOptions = {},
): Promise<WebPage> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM!,
    args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), ...args],
  })
  const page = await browser.newPage(options)
  const wrong: string[] = []
  page.on('pageerror', ({ message }) => wrong.push(message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.location().url.endsWith('/favicon.ico'))
      wrong.push(`${message.text()} ${message.location().url}`)
  })
  const origin = new URL(server.url).origin
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`) && !/^(blob|data):/.test(request.url())) wrong.push(request.url())
  })
  await page.goto(server.url + path)
  return {
    page,
    server,
    browser,
    wrong,
    close: async () => {
      await browser.close()
      await server.close()
    },
  }
}

interface PageOptions {
  readonly path?: string
  /** Switches of Chromium. */
  readonly args?: readonly string[]
}

/** Milliseconds from the request to the first paint of a page. */
export const firstPaint = async (page: Page): Promise<number> => {
  const painted = await page.waitForFunction(() => performance.getEntriesByName('first-paint')[0]?.startTime)
  return (await painted.jsonValue())!
}

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

/** What axe-core finds in a page, but for what is minor. */
export async function complaints(page: Page): Promise<string[]> {
  // Not by a tag: the policy of the page has no place for it.
  await page.evaluate(readFileSync(axe, 'utf8'))
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof Axe }
    return (await axe.run()).violations.map(({ id, impact, nodes }) => ({
      text: `${id}: ${nodes.map(({ html }) => html).join(' ')}`,
      impact,
    }))
  })
  return found.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ text }) => text)
}
