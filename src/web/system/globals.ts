/** Globals of Node in a browser; the build puts them where albertkit names them, and nowhere else. */

const nothing = (): void => undefined

export const process = {
  env: {} as Record<string, string | undefined>,
  platform: 'browser',
  pid: 1,
  versions: {},
  execPath: '',
  cwd: (): string => '/',
  kill: nothing,
  on: nothing,
  off: nothing,
}

const channel = new MessageChannel()
const waiting: (() => void)[] = []
channel.port1.onmessage = () => waiting.shift()?.()

/** Runs after the messages that have arrived; `setTimeout` would wait for milliseconds. */
export const setImmediate = (run: (value?: unknown) => void): void => {
  waiting.push(run)
  channel.port2.postMessage(null)
}

const encoder = new TextEncoder()

/** True if arrays that begin with whole words of 8 bytes are the same. */
function isSame(a: Uint8Array, b: Uint8Array, words: number): boolean {
  const [x, y] = [a, b].map(({ buffer, byteOffset }) => new BigUint64Array(buffer, byteOffset, words)) as [
    BigUint64Array,
    BigUint64Array,
  ]
  for (let i = 0; i < words; i++) if (x[i] !== y[i]) return false
  for (let i = 8 * words; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** The functions of `Buffer` that albertkit calls. */
export const Buffer = {
  compare(a: Uint8Array, b: Uint8Array): number {
    const length = Math.min(a.length, b.length)
    const words = Math.floor(length / 8)
    if (a.length === b.length && a.byteOffset % 8 === 0 && b.byteOffset % 8 === 0 && isSame(a, b, words)) return 0
    for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! < b[i]! ? -1 : 1
    return Math.sign(a.length - b.length)
  },
  byteLength: (text: string): number => encoder.encode(text).length,
  from: (text: string): Uint8Array => encoder.encode(text),
  alloc: (size: number, fill = 0): Uint8Array => new Uint8Array(size).fill(fill),
}
