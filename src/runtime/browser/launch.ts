import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import type { Browser, Page } from 'playwright-core'
import { environment } from '../../base/errors.js'
import { onInterrupt } from '../../base/interrupt.js'
import type { GpuOptions } from '../gpu/adapter.js'
import { temporaryFolder, temporaryIn } from '../../base/temporary-folder.js'
import { importOptional } from '../../base/optional-package.js'
import { firstLine } from '../runner.js'
import type { PageBackend } from './protocol.js'

/** Time for a browser to close, in milliseconds; its process is killed after that, since closing may hang. */
const CLOSE_MS = 3000
const START_MS = 60_000
/** Time for a killed browser to be gone, so that nothing writes into its profile while that is removed. */
const END_MS = 300

const importPlaywright = (): Promise<typeof import('playwright-core')> =>
  importOptional('playwright-core', () => import('playwright-core'), 'a browser runner')

/** A browser with one page opened. */
export interface Opened {
  readonly browser: Browser
  readonly page: Page
  close(): Promise<void>
}

/** Characters of what Chromium puts below the folder of temporary files: a socket, whose path the system limits. */
const SOCKET = '/.org.chromium.Chromium.XXXXXX/SingletonSocket'
/** Bytes of the path of a socket: 108 on Linux, 104 on macOS, with a zero at the end. */
const MAX_SOCKET = 103

/** The system's folder of temporary files, or /tmp if a socket in it would have too long a path. */
function shortTemporary(): string {
  const own = tmpdir()
  const bytes = Buffer.byteLength(temporaryIn(own)) + SOCKET.length
  return bytes <= MAX_SOCKET || process.platform === 'win32' || !existsSync('/tmp') ? own : '/tmp'
}

/** Kills a browser with its processes, which are a group of their own, and waits a moment for its end. */
async function killGroup(browser: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => browser.once('exit', resolve))
  if (browser.exitCode !== null || browser.signalCode !== null) return
  try {
    // Windows has no groups: playwright's launcher ends the tree there.
    process.kill(-(browser.pid ?? NaN), 'SIGKILL')
  } catch {
    browser.kill('SIGKILL')
  }
  await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, END_MS))])
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
  const folder = temporaryFolder(shortTemporary())
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
  const kill = (): Promise<void> => killGroup(server.process())
  const forget = onInterrupt(kill)
  const close = async (): Promise<void> => {
    forget()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>((resolve) => (timer = setTimeout(resolve, CLOSE_MS, 'late')))
    const outcome = await Promise.race([server.close().catch(() => 'late' as const), late])
    clearTimeout(timer)
    if (outcome === 'late') await kill()
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
