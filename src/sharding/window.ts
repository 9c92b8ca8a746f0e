/**
 * Number of lines that are batched together. A shard begins at the start of a window, counted from the start of the
 * file, so that every line is in the same batch whether a file is read whole or in shards: float32 sums depend on the
 * batch, and the bytes of a result must not depend on the number of shards.
 */
export const WINDOW = 256
