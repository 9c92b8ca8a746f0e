/** Identity of a file's contents, as far as the server tells it; null if it does not. */
export const tagOf = (headers: Headers): string | null => headers.get('etag') ?? headers.get('last-modified')
