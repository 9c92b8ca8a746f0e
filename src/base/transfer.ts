/** How far a file is that travels from a server. */
export interface Transfer {
  /** Name of the file. */
  readonly file: string
  /** Bytes of it that are on this machine, from earlier commands too. */
  readonly present: number
  /** Bytes of the whole file; null if the server does not say. */
  readonly size: number | null
  /** Bytes of it that this process has fetched, and the seconds since it began to. */
  readonly fetched: number
  readonly seconds: number
}

export type OnTransfer = (transfer: Transfer) => void

let listener: OnTransfer | null = null

/**
 * Calls `next` while files travel, a few times a second, from within reading functions; null ends it.
 * Transfers belong to the process: several models read the same file once.
 */
export function onTransfer(next: OnTransfer | null): void {
  listener = next
}

/** Tells whoever listens. */
export const reportTransfer = (transfer: Transfer): void => {
  listener?.(transfer)
}
