import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import type * as Tf from '@tensorflow/tfjs-core'
import { environment } from '../errors.js'
import { firstLine } from './runner.js'

export type TfjsBackend = 'cpu' | 'wasm'
export type TfjsCore = typeof Tf

/** One engine a process: two runners may be open, so each switches to its own backend before it works. */
let core: Promise<TfjsCore> | null = null

async function importCore(): Promise<TfjsCore> {
  const tf = await import('@tensorflow/tfjs-core')
  tf.env().set('IS_TEST', true) // keeps it from advertising tfjs-node on the console
  tf.env().set('PROD', true)
  return tf
}

async function register(backend: TfjsBackend): Promise<void> {
  if (backend === 'cpu') {
    await import('@tensorflow/tfjs-backend-cpu')
    return
  }
  const wasm = await import('@tensorflow/tfjs-backend-wasm')
  const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')
  wasm.setWasmPaths(`${dirname(entry)}/`)
}

/**
 * tfjs-core with `backend` switched on; loaded when first used.
 * @throws AlbertkitError `environment` where the backend does not start
 */
export async function useBackend(backend: TfjsBackend): Promise<TfjsCore> {
  const tf = await (core ??= importCore())
  try {
    await register(backend)
    if (!(await tf.setBackend(backend))) throw new Error('setBackend gave false')
    await tf.ready()
  } catch (error) {
    throw environment(`the ${backend} backend of TensorFlow.js does not start: ${firstLine(error)}`, { cause: error })
  }
  return tf
}
