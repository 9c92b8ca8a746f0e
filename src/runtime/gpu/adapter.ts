import { environment, type AlbertkitError } from '../../base/errors.js'

/** Hardware that a runtime computes on, as the driver describes it. */
export interface Adapter {
  readonly vendor: string
  /** Name of the device or its architecture. */
  readonly device: string
  readonly driver: string
  /** True if a CPU emulates a GPU: adequate for correctness, meaningless for speed. */
  readonly software: boolean
}

/** User options for GPUs. */
export interface GpuOptions {
  /** Part of an adapter's name; the system's preferred adapter by default. */
  readonly adapter?: string
  /** True if a software adapter is acceptable. */
  readonly allowSoftware?: boolean
}

/** GPUAdapterInfo of the W3C WebGPU specification. */
export interface AdapterInfo {
  readonly vendor: string
  readonly architecture: string
  readonly device: string
  readonly description: string
  readonly isFallbackAdapter?: boolean
}

/** Software adapters of Chromium, Mesa (two) and Windows (WARP). */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|basic render|\bwarp\b/i

export const adapterOf = (info: AdapterInfo): Adapter => ({
  vendor: info.vendor === '' ? 'unknown' : info.vendor,
  device: [info.architecture, info.device].filter((text) => text !== '').join(' ') || 'unknown',
  driver: info.description === '' ? 'unknown' : info.description,
  software: info.isFallbackAdapter === true || SOFTWARE.test(`${info.architecture} ${info.device} ${info.description}`),
})

/** Describes an adapter, e.g. `google swiftshader (SwiftShader driver 5.0.0, software)`. */
export const adapterText = ({ vendor, device, driver, software }: Adapter): string =>
  `${vendor} ${device} (${driver}${software ? ', software' : ''})`

/** Hint for a missing adapter; on Linux a missing Vulkan driver is the usual reason. */
export function adapterHint(platform: NodeJS.Platform = process.platform): string {
  if (platform !== 'linux') return 'install the driver of the graphics card'
  return (
    'install the driver of the graphics card and the Vulkan loader (libvulkan1); VK_ICD_FILENAMES names the driver ' +
    'file to use, such as the nvidia_icd.json of the driver or the vk_swiftshader_icd.json of Chromium (software)'
  )
}

/** @throws AlbertkitError `environment` if the adapter is software and `allowSoftware` is not set */
export function acceptAdapter(runner: string, adapter: Adapter, { allowSoftware }: GpuOptions): void {
  if (adapter.software && allowSoftware !== true) throw softwareOnly(runner, adapter)
}

/**
 * Checks the adapter of a runtime that always takes the first one: it must match the requested name.
 * @param instead hint: how to choose the adapter for this runtime
 * @throws AlbertkitError `environment` if it does not match
 */
export function requireAdapter(runner: string, adapter: Adapter, wanted: string | undefined, instead: string): void {
  if (wanted === undefined || adapterText(adapter).toLowerCase().includes(wanted.toLowerCase())) return
  throw environment(`${runner} takes ${adapterText(adapter)}, and cannot be told to take ${wanted}`, {
    code: 'device-missing',
    hint: instead,
  })
}

const softwareOnly = (runner: string, adapter: Adapter): AlbertkitError =>
  environment(`${runner} finds no GPU, only a software adapter: ${adapterText(adapter)}`, {
    code: 'device-missing',
    hint: `\`allowSoftware\` accepts it; for a GPU, ${adapterHint()}`,
  })
