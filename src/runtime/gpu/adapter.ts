import { environment, type AlbertkitError } from '../../base/errors.js'

/** The hardware that a runtime really computes on, as its own driver describes it. */
export interface Adapter {
  readonly vendor: string
  /** Name of the device or its architecture. */
  readonly device: string
  readonly driver: string
  /** Whether a CPU pretends to be a GPU: right for correctness, worthless for speed. */
  readonly software: boolean
}

/** What a user chooses about GPUs. */
export interface GpuOptions {
  /** Part of an adapter's name; the system's first choice if left out. */
  readonly adapter?: string
  /** Whether a software adapter will do. */
  readonly allowSoftware?: boolean
}

/** What the W3C's GPUAdapterInfo says of an adapter. */
export interface AdapterInfo {
  readonly vendor: string
  readonly architecture: string
  readonly device: string
  readonly description: string
  readonly isFallbackAdapter?: boolean
}

/** Rasterizers that run on the CPU: Chromium's, Mesa's two, Windows' (WARP). */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|basic render|\bwarp\b/i

export const adapterOf = (info: AdapterInfo): Adapter => ({
  vendor: info.vendor === '' ? 'unknown' : info.vendor,
  device: [info.architecture, info.device].filter((text) => text !== '').join(' ') || 'unknown',
  driver: info.description === '' ? 'unknown' : info.description,
  software: info.isFallbackAdapter === true || SOFTWARE.test(`${info.architecture} ${info.device} ${info.description}`),
})

/** `google swiftshader (SwiftShader driver 5.0.0, software)` */
export const adapterText = ({ vendor, device, driver, software }: Adapter): string =>
  `${vendor} ${device} (${driver}${software ? ', software' : ''})`

/** Where Vulkan finds its drivers, in words: on Linux a missing driver is the usual reason why there is no adapter. */
export function adapterHint(platform: NodeJS.Platform = process.platform): string {
  if (platform !== 'linux') return 'install the driver of the graphics card'
  return 'install the driver of the graphics card and the Vulkan loader (libvulkan1); VK_ICD_FILENAMES names the driver file to use, such as the nvidia_icd.json of the driver or the vk_swiftshader_icd.json of Chromium (software)'
}

/** @throws AlbertkitError `environment` where the adapter is software and that was not allowed */
export function acceptAdapter(runner: string, adapter: Adapter, { allowSoftware }: GpuOptions): void {
  if (adapter.software && allowSoftware !== true) throw softwareOnly(runner, adapter)
}

/**
 * For runtimes that take the first adapter and cannot be told to take another: it must be the one that was asked for.
 * @param instead how the choice is made there
 * @throws AlbertkitError `environment` where it is not
 */
export function requireAdapter(runner: string, adapter: Adapter, wanted: string | undefined, instead: string): void {
  if (wanted === undefined || adapterText(adapter).toLowerCase().includes(wanted.toLowerCase())) return
  throw environment(`${runner} takes ${adapterText(adapter)}, and cannot be told to take ${wanted}`, { hint: instead })
}

const softwareOnly = (runner: string, adapter: Adapter): AlbertkitError =>
  environment(`${runner} finds no GPU, only a software adapter: ${adapterText(adapter)}`, {
    hint: `--allow-software lets it count; for a GPU, ${adapterHint()}`,
  })
