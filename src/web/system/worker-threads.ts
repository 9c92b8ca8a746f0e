/** `node:worker_threads` in a browser: albertkit runs in one worker, and starts no other. */

export const isMainThread = true
export const parentPort = null
export const workerData = undefined

function absent(): never {
  throw new TypeError('there are no threads of Node in a browser')
}

export const Worker = absent
export const MessageChannel = absent
export const receiveMessageOnPort = absent
