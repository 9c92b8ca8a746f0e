import { environment } from '../../base/errors.js'
import { importOptional } from '../../base/optional-package.js'
import { acceptAdapter, adapterHint, adapterOf, type Adapter, type GpuOptions } from './adapter.js'
import { firstLine } from '../runner.js'

/** WebGPU in Node by Google's Dawn, from the package `webgpu`. */

export interface WebGpuDevice {
  readonly device: GPUDevice
  readonly info: GPUAdapterInfo
  readonly adapter: Adapter
  readonly close: () => void
}

const importDawn = (): Promise<typeof import('webgpu')> =>
  importOptional('webgpu', () => import('webgpu'), 'WebGPU in Node')

/** Name that no adapter has: Dawn's error then lists the adapters. */
const NO_ADAPTER = 'albertkit-lists-adapters'

interface Seen {
  readonly name: string
  readonly backend: string
}

async function adaptersSeen(): Promise<Seen[]> {
  const { create } = await importDawn()
  try {
    await create([`adapter=${NO_ADAPTER}`]).requestAdapter()
    return []
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    const found = [...text.matchAll(/backend: '([^']*)', name: '([^']*)'/g)]
    // Dawn's null backend computes nothing.
    return found.map(([, backend = '', name = '']) => ({ name, backend })).filter(({ backend }) => backend !== 'null')
  }
}

/** Lists the adapters that Dawn finds, with their backends: `SwiftShader Device (Subzero) (vulkan)`. */
export const listAdapters = async (): Promise<string[]> =>
  (await adaptersSeen()).map(({ name, backend }) => `${name} (${backend})`)

/** Full name of the first adapter that contains `part`, ignoring case, which Dawn does not. */
const nameWith = async (part: string): Promise<string> =>
  (await adaptersSeen()).find(({ name }) => name.toLowerCase().includes(part.toLowerCase()))?.name ?? part

async function requestAdapter({ adapter }: GpuOptions) {
  const { create, globals } = await importDawn()
  Object.assign(globalThis, globals)
  const gpu = create(adapter === undefined ? [] : [`adapter=${await nameWith(adapter)}`])
  let found: GPUAdapter | null = null
  let reason = 'there is no WebGPU adapter'
  try {
    found = await gpu.requestAdapter({ powerPreference: 'high-performance' })
  } catch (error) {
    reason = firstLine(error)
  }
  if (found !== null) return { gpu, found }
  const there = await listAdapters()
  const which = adapter === undefined ? '' : ` called ${adapter}`
  throw environment(`no GPU was found${which}: ${reason}`, {
    code: 'device-missing',
    hint: there.length > 0 ? `adapters here: ${there.join(', ')}` : adapterHint(),
  })
}

/** Finds the adapter that a runner would use. @throws AlbertkitError `environment` if it is absent or refused */
export async function findAdapter(runner: string, options: GpuOptions): Promise<Adapter> {
  const { found } = await requestAdapter(options)
  const adapter = adapterOf(found.info)
  acceptAdapter(runner, adapter, options)
  return adapter
}

const LIMITS = [
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeWorkgroupSizeX',
  'maxComputeInvocationsPerWorkgroup',
] as const

/** Opens the adapter's device with the adapter's full limits. @throws AlbertkitError `environment` */
export async function openDevice(runner: string, options: GpuOptions): Promise<WebGpuDevice> {
  const { gpu, found } = await requestAdapter(options)
  const adapter = adapterOf(found.info)
  acceptAdapter(runner, adapter, options)
  const requiredLimits = Object.fromEntries(LIMITS.map((name) => [name, found.limits[name]]))
  const device = await found.requestDevice({ requiredLimits })
  // Dawn is destroyed when the object from `create` is garbage collected.
  const held: { gpu: GPU | null } = { gpu }
  return {
    device,
    info: found.info,
    adapter,
    close: () => {
      device.destroy()
      held.gpu = null
    },
  }
}
