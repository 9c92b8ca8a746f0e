/** A kind of file that is made to cost time or memory. */
export interface Kind {
  /** Sizes below and far above the limits of the reader. */
  readonly sizes: readonly [number, number, number]
  /** The files of a folder, by their names. */
  readonly make: (size: number) => Record<string, Buffer>
  /** File that is read; the folder if it is left out. */
  readonly open?: string
  /** True if the file is read by `tokenize`, not by `inspect`. */
  readonly tokenize?: true
  /** Bytes of the largest tensor. */
  readonly largest?: number
  /** Bytes that are unpacked for each of `size`. */
  readonly unpacked?: number
}

export const kinds: Readonly<Record<string, Kind>>
