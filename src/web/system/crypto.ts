import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'

/** `node:crypto` in a browser, whose own hashes take no pieces. */

export function createHash(name: string) {
  if (name !== 'sha256') throw new TypeError(`no hash ${name}`)
  const state = sha256.create()
  const hash = {
    update(data: string | Uint8Array) {
      state.update(typeof data === 'string' ? new TextEncoder().encode(data) : data)
      return hash
    },
    digest: (_encoding: 'hex'): string => bytesToHex(state.digest()),
  }
  return hash
}

/** Absent on pages that came without encryption from another machine. */
export const randomUUID = (): string =>
  (globalThis.crypto.randomUUID as (() => string) | undefined)?.() ??
  bytesToHex(globalThis.crypto.getRandomValues(new Uint8Array(16)))
