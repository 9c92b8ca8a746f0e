import { environment, malformed, unsupported, usage, type AlbertkitError } from '../../base/errors.js'

/** Errors of answers that are none, each with what to do. */

/** Page of a model on the hub whose file or list is at `url`: where its licence is accepted. */
function pageOf(url: string): string | null {
  const { origin, pathname } = new URL(url)
  const repo = /^\/api\/models\/(.+?)\/revision\//.exec(pathname)?.[1] ?? /^\/(.+?)\/resolve\//.exec(pathname)?.[1]
  return repo === undefined ? null : `${origin}/${repo}`
}

const TOKEN = 'set HF_TOKEN, or log in with `hf auth login`'

function refused(url: string, status: number, kind: string | null): AlbertkitError {
  const page = pageOf(url)
  const [message, hint] =
    kind === 'GatedRepo'
      ? ['the model is gated', `accept its licence at ${page ?? url}, then ${TOKEN}`]
      : kind === 'RepoNotFound'
        ? ['there is no such model, or it is private', `check the name; for a private model ${TOKEN}`]
        : page === null
          ? ['the server refuses access', 'addresses are read without a password: fetch the file, and give its path']
          : ['the server refuses access', `a private or gated model needs a token that may read it: ${TOKEN}`]
  return environment(`${message} (${status})`, { code: 'permission-denied', file: url, hint })
}

const MISSING: Readonly<Record<string, string>> = {
  RepoNotFound: 'there is no such model on the hub',
  RevisionNotFound: 'the model has no such branch, tag or commit',
  EntryNotFound: 'the model has no such file',
}

/** The error of an answer with this status. */
export function statusError(url: string, status: number, headers = new Headers()): AlbertkitError {
  const kind = headers.get('x-error-code')
  if (status === 401 || status === 403) return refused(url, status, kind)
  if (status === 404 || status === 410)
    return usage(MISSING[kind ?? ''] ?? 'there is no such file or model on the server', {
      code: 'file-missing',
      file: url,
      hint: 'check the name; names are spelled as on the page of the model, with upper and lower case',
    })
  if (status === 416)
    return malformed('the file is shorter than the server said', {
      code: 'file-truncated',
      file: url,
      hint: 'it may be being replaced: try again later',
    })
  return environment(
    status === 429 ? 'the server asks to come less often (429)' : `the server answers with status ${status}`,
    { code: 'service-unavailable', hint: 'try again later: what was fetched so far is kept', file: url },
  )
}

/** The error of a server that asks to wait for longer than a command may. */
export const tooBusy = (url: string, status: number, seconds: number): AlbertkitError =>
  environment(`the server asks to wait ${Math.ceil(seconds)} seconds (${status})`, {
    code: 'service-unavailable',
    file: url,
    hint: 'try again then: what was fetched so far is kept',
  })

/** The error of a server that cannot be reached, or whose connections break again and again. */
export const unreachable = (url: string, cause: unknown): AlbertkitError => {
  const { message, cause: inner } = cause as Error
  const reason = inner instanceof Error && inner.message !== '' ? inner.message : message
  return environment(`the server does not answer: ${reason}`, {
    code: 'service-unavailable',
    file: url,
    hint: 'check the connection; what was fetched before is kept, and read with `offline`',
    cause,
  })
}

/** The error of a redirect that is not followed. */
export const wrongRedirect = (from: URL, to: string): AlbertkitError =>
  unsupported(`the server redirects to ${to}, which is not followed`, {
    code: 'path-escapes',
    file: from.href,
    hint:
      'redirects lead from https to https, or stay on this machine; name the address itself if it is meant, or its ' +
      'host in ALBERTKIT_REDIRECT_HOSTS',
  })
