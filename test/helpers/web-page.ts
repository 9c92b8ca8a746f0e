import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
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
  const browser = await chromium.launch({
    executablePath: CHROMIUM!,
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  })
  const page = await browser.newPage(options)
  const wrong: string[] = []
  page.on('pageerror', ({ message }) => wrong.push(message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.location().url.endsWith('/favicon.ico'))
      wrong.push(`${message.text()} ${message.location().url}`)
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(server.url) && !/^(blob|data):/.test(request.url())) wrong.push(request.url())
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
