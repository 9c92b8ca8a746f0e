import { environment, malformed } from '../../base/errors.js'
import { inputShape, type ModelInputs } from '../../model/reference/run.js'
import { acceptAdapter, adapterHint, adapterOf, requireAdapter, type Adapter, type GpuOptions } from '../gpu/adapter.js'
import { firstLine, runError, type NamedTensor, type Runner } from '../runner.js'
import type { GraphNames } from '../tfjs/tfjs-names.js'
import type { InnerValues } from '../values.js'
import { onnxContent, tfjsContent, type Content } from './content.js'
import { findBrowser } from './find.js'
import { launches, openPage, type Opened } from './launch.js'
import {
  NO_ADAPTER,
  type PageApi,
  type PageBackend,
  type PageFeeds,
  type PageRequest,
  type PageState,
} from './protocol.js'
import { servePage, type PageServer } from './server.js'

/** The page's, in functions that are sent to it. */
declare const albertkit: PageApi

class BrowserRunner implements Runner {
  readonly outputs: readonly string[]
  readonly marks: readonly string[]
  readonly inner: readonly string[]

  constructor(
    readonly name: string,
    readonly detail: string,
    readonly adapter: Adapter | null,
    readonly file: string,
    readonly library: string,
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
      throw runError(`${this.library} in the browser`, pageError(error), this.file, error)
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

/** Starts browsers until one has what the backend needs, and loads the model in it. */
async function openLoaded(
  program: string,
  server: PageServer,
  { request, library }: Content,
  file: string,
  name: string,
  options: GpuOptions,
): Promise<{ readonly opened: Opened; readonly state: PageState }> {
  for (const args of launches(request.backend, options)) {
    const opened = await openPage(program, server.origin, args)
    try {
      const state = await opened.page.evaluate<PageState, PageRequest>((r) => albertkit.load(r), request)
      return { opened, state }
    } catch (error) {
      await opened.close()
      if (String(error).includes(NO_ADAPTER)) continue
      throw malformed(`${library} in the browser does not load the model: ${pageError(error)}`, { file, cause: error })
    }
  }
  throw environment(`${name} finds no GPU: the browser has no WebGPU adapter`, {
    hint: `--allow-software lets its software adapter count; for a GPU, ${adapterHint()}`,
  })
}

/** The runners in a browser: what each loads, and on what. */
export const BROWSER_RUNNERS = {
  'browser-wasm': { library: 'tfjs', backend: 'wasm' },
  'browser-webgpu': { library: 'tfjs', backend: 'webgpu' },
  'browser-ort-wasm': { library: 'ort', backend: 'wasm' },
  'browser-ort-webgpu': { library: 'ort', backend: 'webgpu' },
} as const satisfies Record<string, { library: 'tfjs' | 'ort'; backend: PageBackend }>
export type BrowserRunnerName = keyof typeof BROWSER_RUNNERS

export const isBrowserRunner = (name: string): name is BrowserRunnerName => Object.hasOwn(BROWSER_RUNNERS, name)

/**
 * Opens a real Chrome or Chromium with a page that loads the model over HTTP, as a user's page would.
 * @param values inner values of an ONNX file to make available
 * @throws AlbertkitError `environment` where the browser, a package or a GPU is absent, `malformed`
 */
export async function openBrowser(
  file: string,
  name: BrowserRunnerName,
  values: InnerValues,
  options: GpuOptions & { readonly browser?: string },
): Promise<Runner> {
  const { library, backend } = BROWSER_RUNNERS[name]
  const program = findBrowser(options.browser)
  const content = library === 'tfjs' ? tfjsContent(file, backend) : onnxContent(file, backend, name, values)
  const server = await servePage(content.served, content.scripts)
  try {
    const { opened, state } = await openLoaded(program, server, content, file, name, options)
    const adapter = state.adapter === null ? null : adapterOf(state.adapter)
    try {
      if (adapter !== null) {
        requireAdapter(
          name,
          adapter,
          options.adapter,
          'browsers choose by themselves; VK_ICD_FILENAMES hides the drivers of other adapters from them (Linux)',
        )
        acceptAdapter(name, adapter, options)
      }
    } catch (error) {
      await opened.close()
      throw error
    }
    const detail = `Chromium ${opened.browser.version()}, ${content.detail(state)} on ${backend}`
    return new BrowserRunner(
      name,
      detail,
      adapter,
      file,
      content.library,
      opened,
      server,
      content.names(state),
      state.rank,
    )
  } catch (error) {
    server.close()
    throw error
  }
}
