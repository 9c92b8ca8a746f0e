import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findPackage } from '../../base/optional-package.js'
import { firstLine } from '../runner.js'

const PROVIDER = 'libonnxruntime_providers_cuda.so'

/** Folder of onnxruntime-node's libraries on this machine; null if there is none. */
export function libraryFolder(): string | null {
  const entry = findPackage('onnxruntime-node')
  const bin = entry === null ? '' : join(dirname(entry), '../bin')
  const [abi] = existsSync(bin) ? readdirSync(bin) : []
  return abi === undefined ? null : join(bin, abi, process.platform, process.arch)
}

/**
 * Reason why the CUDA provider in a folder cannot be loaded, in the words of the system's loader, which names the first
 * library that is missing: onnxruntime itself says only that it failed. Null if it can be loaded.
 */
export function whyCudaFails(folder: string | null): string | null {
  const file = join(folder ?? '', PROVIDER)
  if (folder === null || !existsSync(file)) return `${PROVIDER} is not installed`
  try {
    process.dlopen({ exports: {} }, file)
  } catch (error) {
    const said = firstLine(error).replaceAll(`${folder}/`, '')
    // What could be loaded is no module of Node.
    return said.startsWith('Module did not self-register') ? null : said
  }
  return null
}
