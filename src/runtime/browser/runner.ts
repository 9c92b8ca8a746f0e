import type { GraphTarget } from '../../base/artefact-layout.js'
import { environment, malformed } from '../../base/errors.js'
import { inputShape, type ModelInputs } from '../../model/reference/run.js'
import { acceptAdapter, adapterHint, adapterOf, requireAdapter, type Adapter, type GpuOptions } from '../gpu/adapter.js'
import { firstLine, runError, type NamedTensor, type Runner } from '../runner.js'
import { dimsOf, refuseLonger, runRows, type Feeds, type FixedShape } from '../litert/rows.js'
import type { GraphNames } from '../tfjs/tfjs-names.js'
import type { InnerValues } from '../values.js'
import { litertContent, onnxContent, tfjsContent, type Content } from './content.js'
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

/** Global of the page, for functions that are evaluated there. */
declare const albertkit: PageApi

/** A model loaded in a page. */
interface LoadedModel extends Pick<Runner, 'name' | 'detail' | 'adapter'> {
  readonly file: string
  /** Name of the library in messages. */
  readonly library: string
  readonly opened: Opened
  readonly server: PageServer
  readonly names: GraphNames
  /** Rank of the model's input_ids. */
  readonly rank: number
  /** Shape of the inputs, if the model takes no other. */
  readonly fixed: FixedShape | undefined
}

class BrowserRunner implements Runner {
  readonly name: string
  readonly detail: string
  readonly adapter: Adapter | null
  readonly outputs: readonly string[]
  readonly marks: readonly string[]
  readonly inner: readonly string[]
  readonly sequence?: number

  constructor(readonly loaded: LoadedModel) {
    this.name = loaded.name
    this.detail = loaded.detail
    this.adapter = loaded.adapter
    this.outputs = loaded.names.outputs
    this.marks = loaded.names.marks
    this.inner = loaded.names.inner
    if (loaded.fixed !== undefined) this.sequence = loaded.fixed.sequence
  }

  async run(inputs: ModelInputs, wanted: readonly string[] = this.outputs): Promise<Map<string, NamedTensor>> {
    const { rank, names, library, file, fixed } = this.loaded
    refuseLonger(file, inputs, fixed?.sequence ?? null)
    const nodes = [...new Set(wanted.map((name) => names.nodes.get(name) ?? name))]
    try {
      const values =
        fixed === undefined
          ? await this.#once(inputs, inputShape(inputs, rank === 3), nodes)
          : await runRows(inputs, fixed, (feeds) => this.#once(feeds, dimsOf(fixed), nodes))
      return new Map(
        wanted.flatMap((name) => {
          const value = values.get(names.nodes.get(name) ?? name)
          return value === undefined ? [] : [[name, value]]
        }),
      )
    } catch (error) {
      throw runError(`${library} in the browser`, pageError(error), file, error)
    }
  }

  /** Runs the model on the whole of `ids` and returns the values of `nodes`. */
  async #once(ids: Feeds, shape: readonly number[], nodes: readonly string[]): Promise<Map<string, NamedTensor>> {
    const feeds: PageFeeds = {
      shape,
      input_ids: [...ids.input_ids],
      attention_mask: [...ids.attention_mask],
      token_type_ids: [...ids.token_type_ids],
    }
    const asked: [PageFeeds, readonly string[]] = [feeds, nodes]
    const given = await this.loaded.opened.page.evaluate(([f, n]) => albertkit.run(f, n), asked)
    return new Map(given.map((value, i) => [nodes[i]!, { shape: value.shape, data: floats(value.base64) }]))
  }

  async close(): Promise<void> {
    this.loaded.server.close()
    await this.loaded.opened.close()
  }
}

function floats(base64: string): Float32Array {
  const bytes = Buffer.from(base64, 'base64')
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
}

/** Message of an error in the page, without the prefix that Playwright adds. */
const pageError = (error: unknown): string => {
  const line = firstLine(error).replace(/^page\.evaluate: (Error: )?/, '')
  // LiteRT names the line of its own code, and often nothing else.
  return /^ERROR: \[[^\]]*\]( null)?$/.test(line) ? 'it gives no reason' : line
}

/** Remedy for graphs that WebGPU does not take whole: matrices in four and in eight bits together, for example. */
const GPU_HINT = '`browser-litert-wasm` runs it; WebGPU takes it in f32, f16 or int8'

/** A page, and the browser to load it in. */
interface PageToLoad {
  /** Name of the runner. */
  readonly name: string
  readonly file: string
  /** Path of the browser executable. */
  readonly program: string
  readonly server: PageServer
  readonly content: Content
}

/** Starts the browser with each set of flags until the backend finds its adapter, and loads the model. */
async function openLoaded(
  { name, file, program, server, content }: PageToLoad,
  options: GpuOptions,
): Promise<{ readonly opened: Opened; readonly state: PageState }> {
  const { request, library } = content
  for (const args of launches(request.backend, options)) {
    const opened = await openPage(program, server.origin, args)
    try {
      const state = await opened.page.evaluate<PageState, PageRequest>((r) => albertkit.load(r), request)
      return { opened, state }
    } catch (error) {
      await opened.close()
      if (String(error).includes(NO_ADAPTER)) continue
      throw malformed(`${library} in the browser does not load the model: ${pageError(error)}`, {
        code: 'artefact-rejected',
        file,
        cause: error,
        ...(name === 'browser-litert-webgpu' && { hint: GPU_HINT }),
      })
    }
  }
  throw environment(`${name} finds no GPU: the browser has no WebGPU adapter`, {
    code: 'device-missing',
    hint: `\`allowSoftware\` accepts its software adapter; for a GPU, ${adapterHint()}`,
  })
}

/** Kind of a runner in a browser: the library that its page loads, and the backend. */
export interface BrowserRunnerKind {
  readonly name: string
  /** Target of the model file; TensorFlow.js or onnxruntime-web reads it. */
  readonly artefact: GraphTarget
  readonly backend: PageBackend
}

const CONTENTS: Readonly<Record<GraphTarget, (file: string, kind: BrowserRunnerKind, values: InnerValues) => Content>> =
  {
    tfjs: (file, { backend }) => tfjsContent(file, backend),
    onnx: (file, { name, backend }, values) => onnxContent(file, backend, name, values),
    tflite: (file, { name, backend }, values) => litertContent(file, backend, name, values),
  }

/**
 * Opens a real Chrome or Chromium with a page that loads the model over HTTP, like a user's own page.
 * @param values inner values of an ONNX file to make available
 * @throws AlbertkitError `environment` if the browser, a package or a GPU is absent, `malformed`
 */
export async function openBrowser(
  file: string,
  kind: BrowserRunnerKind,
  values: InnerValues,
  options: GpuOptions & { readonly browser?: string },
): Promise<Runner> {
  const { name, artefact, backend } = kind
  const program = findBrowser(options.browser)
  const content = CONTENTS[artefact](file, kind, values)
  const server = await servePage(content.served, content.scripts)
  try {
    const { opened, state } = await openLoaded({ name, file, program, server, content }, options)
    const adapter = state.adapter === null ? null : adapterOf(state.adapter)
    try {
      if (adapter !== null) {
        requireAdapter(
          name,
          adapter,
          options.adapter,
          'the browser chooses the adapter; VK_ICD_FILENAMES hides the drivers of other adapters from it (Linux)',
        )
        acceptAdapter(name, adapter, options)
      }
    } catch (error) {
      await opened.close()
      throw error
    }
    const detail = `Chromium ${opened.browser.version()}, ${content.detail(state)} on ${backend}`
    const names = content.names(state)
    return new BrowserRunner({
      name,
      detail,
      adapter,
      file,
      library: content.library,
      opened,
      server,
      names,
      rank: state.rank,
      fixed: content.fixed,
    })
  } catch (error) {
    server.close()
    throw error
  }
}
