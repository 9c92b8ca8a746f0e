import type { Browser, Page } from 'playwright-core'
import { environment } from '../../base/errors.js'
import { onInterrupt } from '../../base/interrupt.js'
import type { GpuOptions } from '../gpu/adapter.js'
import { temporaryFolder } from '../../base/temporary-folder.js'
import { importOptional } from '../../base/optional-package.js'
import { firstLine } from '../runner.js'
import type { PageBackend } from './protocol.js'

/** Time for a browser to close, in milliseconds; its process is killed after that, since closing may hang. */
const CLOSE_MS = 3000
const START_MS = 60_000

const importPlaywright = (): Promise<typeof import('playwright-core')> =>
  importOptional('playwright-core', () => import('playwright-core'), 'a browser runner')

/** A browser with one page opened. */
export interface Opened {
  readonly browser: Browser
  readonly page: Page
  close(): Promise<void>
}

/** Runs `body` with another folder for temporary files, which the processes that it starts inherit. */
async function withTemporary<T>(path: string, body: () => Promise<T>): Promise<T> {
  const { TMPDIR } = process.env
  process.env.TMPDIR = path
  try {
    return await body()
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
  }
}

/** @throws AlbertkitError `environment` if the browser does not start or does not open the page */
export async function openPage(program: string, origin: string, args: readonly string[]): Promise<Opened> {
  const { chromium } = await importPlaywright()
  // Chromium has no sandbox for root. Of playwright's launchers, launchServer alone exposes the process, to be killed.
  const root = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  // Its profile and the files of playwright, which a killed browser leaves.
  const folder = temporaryFolder()
  // Signals are handled by `onInterrupt`.
  const signals = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false }
  const options = { ...signals, executablePath: program, headless: true, args: [...root, ...args], timeout: START_MS }
  const server = await withTemporary(folder.path, () => chromium.launchServer(options)).catch((error: unknown) => {
    folder.remove()
    throw environment(`the browser does not start: ${firstLine(error)}`, {
      code: 'device-missing',
      file: program,
      hint: 'it must be a Chrome or Chromium that runs on this machine: name another in `browser` or CHROME_PATH',
      cause: error,
    })
  })
  const forget = onInterrupt(() => {
    server.process().kill('SIGKILL')
  })
  const close = async (): Promise<void> => {
    forget()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>((resolve) => (timer = setTimeout(resolve, CLOSE_MS, 'late')))
    const outcome = await Promise.race([server.close().catch(() => 'late' as const), late])
    clearTimeout(timer)
    if (outcome === 'late') server.process().kill('SIGKILL')
    folder.remove()
  }
  try {
    const browser = await chromium.connect(server.wsEndpoint())
    const page = await browser.newPage()
    await page.goto(origin, { timeout: START_MS })
    return { browser, page, close }
  } catch (error) {
    await close()
    throw environment(`the browser does not open a page: ${firstLine(error)}`, {
      code: 'process-failed',
      file: program,
      cause: error,
    })
  }
}

/** Sets of browser flags to try for a backend; if software adapters are allowed, Chromium's own comes second. */
export function launches(backend: PageBackend, { allowSoftware }: GpuOptions): (readonly string[])[] {
  if (backend === 'wasm') return [[]]
  const hardware = ['--enable-unsafe-webgpu', '--enable-features=Vulkan', '--ignore-gpu-blocklist']
  const software = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']
  return allowSoftware === true ? [hardware, software] : [hardware]
}
