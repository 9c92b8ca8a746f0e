import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { environment, malformed } from '../../errors.js'
import { onInterrupt } from '../../interrupt.js'
import { inputShape, type ModelInputs } from '../../model/reference-run.js'
import { acceptAdapter, adapterHint, adapterOf, type Adapter, type GpuOptions } from '../adapter.js'
import { importOptional } from '../package.js'
import { firstLine, type NamedTensor, type Runner } from '../runner.js'
import { graphNames, type GraphNames, type ModelJson } from '../tfjs-names.js'
import { findBrowser } from './find.js'
import type { PageApi, PageFeeds, PageState } from './protocol.js'
import { servePage, type PageServer } from './server.js'

/** Closing a browser has been seen to hang; its process is ended then. */
const CLOSE_MS = 3000
const START_MS = 60_000

/** The page's, in functions that are sent to it. */
declare const albertkit: PageApi

/** The bundled page: beside this module in dist, in dist where the sources run. */
function pageFile(): string {
  for (const place of ['..', '../..', '../../../dist']) {
    const file = fileURLToPath(new URL(`${place}/browser/albertkit-page.js`, import.meta.url))
    if (existsSync(file)) return file
  }
  throw environment('the page of the browser runners is missing from this installation', { hint: 'npm run build' })
}

/** URLs of the page: its script, the wasm files of TensorFlow.js, the model and its shards. */
function filesOf(file: string, json: ModelJson): Map<string, string> {
  const wasm = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))
  const shards = json.weightsManifest.flatMap((group) => group.paths)
  return new Map([
    ['/page.js', pageFile()],
    ...readdirSync(wasm).filter((name) => name.endsWith('.wasm')).map((name) => [`/wasm/${name}`, join(wasm, name)] as const),
    ['/model/model.json', file],
    ...shards.map((name) => [`/model/${name}`, join(dirname(file), name)] as const),
  ]) // prettier-ignore
}

const importPlaywright = (): Promise<typeof import('playwright-core')> =>
  importOptional(
    () => import('playwright-core'),
    'the browser runners need the optional package playwright-core, which is not installed',
    'npm install playwright-core',
  )

interface Opened {
  readonly browser: Browser
  readonly page: Page
  close(): Promise<void>
}

async function openPage(program: string, origin: string, args: readonly string[]): Promise<Opened> {
  const { chromium } = await importPlaywright()
  // Chromium has no sandbox for root; playwright's launchServer is the one that lets its process be ended by force.
  const root = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const server = await chromium
    .launchServer({ executablePath: program, headless: true, args: [...root, ...args], timeout: START_MS })
    .catch((error: unknown) => {
      throw environment(`the browser does not start: ${firstLine(error)}`, { file: program, cause: error })
    })
  const browser = await chromium.connect(server.wsEndpoint())
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
  }
  try {
    const page = await browser.newPage()
    await page.goto(origin, { timeout: START_MS })
    return { browser, page, close }
  } catch (error) {
    await close()
    throw environment(`the browser does not open a page: ${firstLine(error)}`, { file: program, cause: error })
  }
}

/** Flags of the browser for a backend; with a software adapter allowed, Chromium's own comes second. */
function launches(backend: 'wasm' | 'webgpu', { allowSoftware }: GpuOptions): (readonly string[])[] {
  if (backend === 'wasm') return [[]]
  const hardware = ['--enable-unsafe-webgpu', '--enable-features=Vulkan', '--ignore-gpu-blocklist']
  const software = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']
  return allowSoftware === true ? [hardware, software] : [hardware]
}

class BrowserRunner implements Runner {
  readonly outputs: readonly string[]
  readonly marks: readonly string[]
  readonly inner: readonly string[]

  constructor(
    readonly name: string,
    readonly detail: string,
    readonly adapter: Adapter | null,
    readonly file: string,
    readonly opened: Opened,
    readonly server: PageServer,
    readonly names: GraphNames,
    readonly rank: number,
  ) {
    this.outputs = names.outputs
    this.marks = names.marks
    this.inner = names.inner
  }

  async run(inputs: ModelInputs, wanted: readonly string[] = this.outputs): Promise<Map<string, NamedTensor>> {
    const feeds: PageFeeds = {
      shape: inputShape(inputs, this.rank === 3),
      input_ids: [...inputs.input_ids],
      attention_mask: [...inputs.attention_mask],
      token_type_ids: [...inputs.token_type_ids],
    }
    const nodes = [...new Set(wanted.map((name) => this.names.nodes.get(name) ?? name))]
    try {
      const given = await this.opened.page.evaluate(([f, n]) => albertkit.run(f, n), [feeds, nodes] as [
        PageFeeds,
        string[],
      ])
      const values = new Map(given.map(({ shape, base64 }, i) => [nodes[i], { shape, data: floats(base64) }]))
      return new Map(
        wanted.flatMap((name) => {
          const value = values.get(this.names.nodes.get(name) ?? name)
          return value === undefined ? [] : [[name, value]]
        }),
      )
    } catch (error) {
      throw malformed(`TensorFlow.js in the browser cannot run the model: ${pageError(error)}`, {
        file: this.file,
        cause: error,
      })
    }
  }

  async close(): Promise<void> {
    this.server.close()
    await this.opened.close()
  }
}

function floats(base64: string): Float32Array {
  const bytes = Buffer.from(base64, 'base64')
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
}

/** Playwright puts its own call before the page's message. */
const pageError = (error: unknown): string => firstLine(error).replace(/^page\.evaluate: (Error: )?/, '')

/**
 * Opens a real Chrome or Chromium with a page that loads the model in TensorFlow.js over HTTP, as a user's page would.
 * @throws AlbertkitError `environment` where the browser, its driver package or a GPU is absent, `malformed`
 */
export async function openBrowser(
  file: string,
  name: 'browser-wasm' | 'browser-webgpu',
  options: GpuOptions & { readonly browser?: string },
): Promise<Runner> {
  const backend: 'wasm' | 'webgpu' = name === 'browser-wasm' ? 'wasm' : 'webgpu'
  const program = findBrowser(options.browser)
  const json = readModelJson(file)
  const server = await servePage(filesOf(file, json))
  try {
    for (const args of launches(backend, options)) {
      const opened = await openPage(program, server.origin, args)
      let state: PageState
      try {
        state = await opened.page.evaluate<PageState, typeof backend>((b) => albertkit.load(b), backend)
      } catch (error) {
        await opened.close()
        if (String(error).includes('no WebGPU adapter')) continue
        throw malformed(`TensorFlow.js in the browser does not load the model: ${pageError(error)}`, { file, cause: error })
      } // prettier-ignore
      const adapter = state.adapter === null ? null : adapterOf(state.adapter)
      try {
        if (adapter !== null) acceptAdapter(name, adapter, options)
      } catch (error) {
        await opened.close()
        throw error
      }
      const detail = `Chromium ${opened.browser.version()}, @tensorflow/tfjs-core ${state.version} on ${backend}`
      return new BrowserRunner(name, detail, adapter, file, opened, server, graphNames(json), state.rank)
    }
    throw environment(`${name} finds no GPU: the browser has no WebGPU adapter`, {
      hint: `--allow-software lets its software adapter count; for a GPU, ${adapterHint()}`,
    })
  } catch (error) {
    server.close()
    throw error
  }
}

function readModelJson(file: string): ModelJson {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ModelJson
  } catch (error) {
    throw malformed(`not a readable model.json: ${firstLine(error)}`, { file, cause: error })
  }
}
