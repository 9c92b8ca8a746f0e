import type { LiteRt, LoadedLiteRt } from '../../runtime/litert/load.js'
import { environment } from '../../base/errors.js'
import { keepPrinted } from '../../runtime/litert/printed.js'
import { firstLine } from '../../runtime/runner.js'
import { importRuntime, runtimeUrl } from './place.js'

/** `runtime/litert/load.ts` in a browser: the library's script as a module, since workers of modules run no scripts. */

interface Script {
  readonly default: unknown
}

/** Globals that the library looks for. */
const place = globalThis as unknown as Record<string, unknown>

async function load(): Promise<LoadedLiteRt> {
  const litert = await importRuntime<LiteRt>('litert/litert.js', 'LiteRT')
  const { default: factory } = await importRuntime<Script>('litert/litert_wasm_internal.js', 'LiteRT')
  const { print, printed } = keepPrinted()
  const locateFile = (name: string): string => runtimeUrl(`litert/${name}`)
  place.Module = { print, printErr: print, locateFile }
  const importScripts = (): void => {
    place.ModuleFactory = factory
  }
  Object.defineProperty(globalThis, 'importScripts', { value: importScripts, configurable: true })
  try {
    await litert.loadLiteRt(runtimeUrl('litert/litert_wasm_internal.js'))
  } catch (error) {
    throw environment(`LiteRT does not start in this browser: ${firstLine(error)}`, {
      code: 'package-missing',
      cause: error,
    })
  } finally {
    Reflect.deleteProperty(globalThis, 'importScripts')
  }
  return { litert, detail: '@litertjs/core (wasm)', printed }
}

let loaded: Promise<LoadedLiteRt> | null = null

/** @throws AlbertkitError `environment` if it is not there or does not start */
export function loadLiteRt(): Promise<LoadedLiteRt> {
  loaded ??= load().catch((error: unknown) => {
    loaded = null
    throw error
  })
  return loaded
}
