import type * as Tf from '@tensorflow/tfjs-core'
import { environment } from '../../base/errors.js'
import { firstLine } from '../runner.js'

/** Activates a backend that is registered, in Node or in a browser. @throws AlbertkitError `environment` */
export async function useBackend(tf: Pick<typeof Tf, 'setBackend' | 'ready'>, backend: string): Promise<void> {
  try {
    if (!(await tf.setBackend(backend))) throw new Error('setBackend gave false')
    await tf.ready()
  } catch (error) {
    throw environment(`the ${backend} backend of TensorFlow.js does not start: ${firstLine(error)}`, {
      code: 'device-missing',
      cause: error,
    })
  }
}
