import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { findBrowser } from '../../src/runtime/browser/find.js'

/** Software Vulkan and a browser for tests: Debian's chromium brings SwiftShader along. */

/** Where packages put Chromium's own Vulkan driver. */
const PLACES = ['/usr/lib/chromium', '/usr/lib64/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome']

const swiftshader = (): string | null =>
  PLACES.find((place) => existsSync(join(place, 'vk_swiftshader_icd.json'))) ?? null

/**
 * Dawn and onnxruntime ask the system for libvulkan.so.1. Where libvulkan1 is not installed, Chromium's own copy is
 * loaded first, under the same name. It is no addon, so Node complains; RTLD_NODELETE keeps it loaded all the same.
 */
function preloadVulkan(place: string): void {
  const RTLD_NODELETE = 0x1000
  try {
    const { RTLD_NOW, RTLD_GLOBAL } = constants.dlopen
    process.dlopen({ exports: {} }, join(place, 'libvulkan.so.1'), RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE)
  } catch {
    // "Module did not self-register", or there is no such file and the system's is used
  }
}

function browser(): string | null {
  try {
    return findBrowser()
  } catch {
    return null
  }
}

export const CHROMIUM = browser()
/** Whether Dawn finds a Vulkan driver: one that was set, or SwiftShader. */
export const hasVulkan = ((): boolean => {
  if (process.env.VK_ICD_FILENAMES !== undefined) return true
  const place = swiftshader()
  if (place === null) return false
  process.env.VK_ICD_FILENAMES = join(place, 'vk_swiftshader_icd.json')
  preloadVulkan(place)
  return true
})()

if (CHROMIUM === null) console.warn('Chromium is absent: the tests in a browser are skipped')
if (!hasVulkan) console.warn("there is no Vulkan driver (Debian's chromium brings one): the WebGPU tests are skipped")
