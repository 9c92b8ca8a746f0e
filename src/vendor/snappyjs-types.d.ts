declare module 'snappyjs' {
  /** @throws Error where the data is damaged, or longer than `maxLength` bytes when uncompressed */
  export function uncompress(compressed: Uint8Array, maxLength?: number): Uint8Array
}
