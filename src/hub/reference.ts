import { usage } from '../base/errors.js'

/** A model on the Hugging Face hub, as `hf:org/name[@revision][/path]` names it. */
export interface HubReference {
  /** `org/name`; a bare name for the oldest models, e.g. `albert-base-v2`. */
  readonly repo: string
  /** Branch, tag, commit or `refs/pr/1`; `main` if left out. */
  readonly revision: string
  /** Folder or file in the repository; `''` for all of it. */
  readonly path: string
}

/** Begins the name of a model on the hub; a local file of such a name is `./hf:…`. */
const SCHEME = 'hf:'

const NAME = /^[A-Za-z0-9_](?:[\w.-]{0,94}[\w-])?$/

/** Revisions with slashes that need no escape: pull requests and converted files. */
const SPECIAL = /^refs\/(?:pr|convert)\/[^/]+/

/** True if `path` names a model on the hub. */
export const isHubPath = (path: string): boolean => path.startsWith(SCHEME)

/** True if `path` is an address. */
export const isUrl = (path: string): boolean => /^https?:\/\//i.test(path)

const refuse = (path: string, reason: string): never => {
  throw usage(`${path} names no model on the hub: ${reason}`, {
    code: 'option-invalid',
    hint: 'write hf:org/name, hf:org/name@revision or hf:org/name/folder; slashes in a revision as %2F',
  })
}

function decoded(path: string, part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return refuse(path, `${part} is not percent-encoded correctly`)
  }
}

/** Splits what follows the `@` into revision and path. */
function revisionIn(path: string, text: string): readonly [revision: string, rest: string] {
  const special = SPECIAL.exec(text)?.[0]
  const end = special?.length ?? (text.includes('/') ? text.indexOf('/') : text.length)
  return [special ?? decoded(path, text.slice(0, end)), text.slice(end + 1)]
}

/** True for names that lead to another folder. */
const isSidestep = (part: string): boolean => part === '' || part === '.' || part === '..'

/**
 * Parses `hf:org/name[@revision][/path]`.
 * @throws AlbertkitError `usage`
 */
export function parseHubPath(path: string): HubReference {
  const text = path.slice(SCHEME.length).replace(/^\/\//, '')
  const at = text.indexOf('@')
  const [named, revised] = at === -1 ? [text, null] : [text.slice(0, at), text.slice(at + 1)]
  const [owner = '', name, ...inner] = named.split('/')
  const names = name === undefined ? [owner] : [owner, name]
  if (!names.every((one) => NAME.test(one) && !one.includes('--') && !one.includes('..')))
    refuse(path, `${names.join('/')} is not organisation and name`)
  if (revised !== null && inner.length > 0) refuse(path, 'the revision follows the name, before the folder')
  const [revision, inside] = revised === null ? ['main', inner.join('/')] : revisionIn(path, revised)
  const rest = inside.replace(/\/+$/, '')
  // Revisions are names of files in the cache.
  if (revision.split('/').some(isSidestep) || /[\\\0]/.test(revision)) refuse(path, `no revision is called ${revision}`)
  if (rest !== '' && (rest.split('/').some(isSidestep) || /[\\\0]/.test(rest)))
    refuse(path, `no folder is called ${rest}`)
  return { repo: names.join('/'), revision, path: rest }
}

/** The reference as a user writes it. */
export const hubPath = ({ repo, revision, path }: HubReference): string =>
  SCHEME + repo + (revision === 'main' ? '' : `@${encodeURIComponent(revision)}`) + (path === '' ? '' : `/${path}`)
