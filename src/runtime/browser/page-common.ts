/// <reference lib="dom" />
import { NO_ADAPTER, type PageAdapter } from './protocol.js'

/** Code that the pages share; runs in the browser. */

/** Encodes the values as base64 of little-endian float32. */
export function base64(data: Float32Array): string {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  let text = ''
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192))
  return btoa(text)
}

export function describeAdapter(info: GPUAdapterInfo): PageAdapter {
  const { vendor, architecture, device, description, isFallbackAdapter } = info
  return { vendor, architecture, device, description, isFallbackAdapter }
}

/** Requests the browser's preferred adapter. @throws Error with NO_ADAPTER if there is none */
export async function findAdapter(): Promise<PageAdapter> {
  // The property is absent if the browser has no WebGPU or withholds it from this page.
  const gpu = (navigator as { gpu?: GPU }).gpu
  const found = await gpu?.requestAdapter({ powerPreference: 'high-performance' })
  if (found === null || found === undefined) throw new Error(NO_ADAPTER)
  return describeAdapter(found.info)
}
