/// <reference lib="dom" />
import { environment } from '../../base/errors.js'
import { adapterOf, type Adapter } from '../../runtime/gpu/adapter.js'

/** The browser's preferred GPU. @throws AlbertkitError `environment` if it gives none */
export async function findGpu(): Promise<Adapter> {
  // The property is absent if the browser has no WebGPU or withholds it from this page.
  const { gpu } = globalThis.navigator as { gpu?: GPU }
  const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' })
  if (adapter === null || adapter === undefined)
    throw environment('this browser gives the page no GPU (WebGPU)', {
      code: 'device-missing',
      hint: 'choose a runtime on wasm, or a browser with WebGPU on a page that is secure (https, or this machine)',
    })
  return adapterOf(adapter.info)
}
