/** Where a model came from, if it was not named by a path: the hub, or an address. */
export interface ModelOrigin {
  /** Repository on the hub: `org/name`. */
  readonly repo?: string
  /** Branch, tag or commit that was asked for. */
  readonly revision?: string
  /** Commit that this was, 40 hexadecimal digits. */
  readonly commit?: string
  /** Folder or file in the repository; absent for all of it. */
  readonly path?: string
  /** Address, without its query. */
  readonly url?: string
  /** ETag of the file at that address. */
  readonly tag?: string
}
