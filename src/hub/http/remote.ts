import { homedir } from 'node:os'
import { join as joinDisk } from 'node:path'
import { malformed, usage, type AlbertkitError } from '../../base/errors.js'
import { readPlainText } from '../../files/plain-text.js'
import type { FilePort } from '../../formats/core/file-port.js'
import { treeFiles } from '../../formats/core/tree-port.js'
import type { ModelOrigin } from '../origin.js'
import type { HubReference } from '../reference.js'
import { tagOf } from './tag.js'
import { Fetcher, RemoteFile } from './remote-file.js'
import { request, statusError, urlOf } from './request.js'

/** Files of a server as a port, and what is to be closed when they are no longer read. */
export interface RemotePlace {
  readonly files: FilePort
  readonly path: string
  readonly origin: ModelOrigin
  readonly close: () => void
}

/** Names that the files beside a model have: a server does not list its folders. */
const BESIDE = [
  'config.json albert_config.json bert_config.json vocab.txt spiece.model tokenizer.json tokenizer_config.json',
  'special_tokens_map.json added_tokens.json labels.txt label2id.json modules.json albertkit.json',
]
  .join(' ')
  .split(' ')

/** Names that a model in a folder has. */
const MODELS = [
  'model.safetensors.index.json model.safetensors pytorch_model.bin.index.json pytorch_model.bin tf_model.h5',
  'model.onnx model.json checkpoint model.ckpt.index saved_model.pb',
]
  .join(' ')
  .split(' ')

/** An index lists the shards of a model; an honest one is smaller. */
const MAX_INDEX = 16 << 20
/** A list of the files of a repository; that of the largest is smaller. */
const MAX_LISTING = 32 << 20
const MAX_FILES = 10_000

async function textOf(answer: Response, limit: number, alive: () => void): Promise<string> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const piece of answer.body ?? []) {
    alive()
    parts.push(piece)
    length += (piece as Uint8Array).length
    if (length > limit) throw malformed(`more than ${limit} bytes`, { code: 'limit-exceeded', file: answer.url })
  }
  return Buffer.concat(parts).toString('utf8')
}

function parsed(text: string, url: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw malformed('the answer of the server is no JSON', { code: 'header-invalid', file: url, cause })
  }
}

/**
 * Asks for a file's size without its contents; null if it is not there.
 * @param isNamed false of a file that need not be there, whose absence some stores call forbidden
 */
async function look(url: string, fetcher: Fetcher, isNamed: boolean): Promise<RemoteFile | null> {
  try {
    return await request(url, { range: 'bytes=0-0' }, async (answer) => {
      await answer.body?.cancel()
      const all = /\/(\d+)$/.exec(answer.headers.get('content-range') ?? '')?.[1]
      const size = answer.status === 206 ? all : (answer.headers.get('content-length') ?? undefined)
      if (size === undefined)
        throw malformed('the server does not say how long the file is', { code: 'header-invalid', file: url })
      return new RemoteFile({ url, token: undefined, size: Number(size), tag: tagOf(answer.headers) }, fetcher)
    })
  } catch (error) {
    const { code } = error as Partial<AlbertkitError>
    if (code === 'file-missing' || (code === 'permission-denied' && !isNamed)) return null
    throw error
  }
}

type Found = [name: string, file: RemoteFile][]

async function lookAll(
  urlOfName: (name: string) => string,
  names: readonly string[],
  fetcher: Fetcher,
  isNamed = false,
): Promise<Found> {
  const found: Found = []
  const waiting = [...new Set(names)]
  const work = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const file = await look(urlOfName(name), fetcher, isNamed)
      if (file !== null) found.push([name, file])
    }
  }
  await Promise.all(Array.from({ length: 8 }, work))
  return found
}

/** Shards that an index names, those in its own folder. */
async function shardsOf(file: RemoteFile): Promise<readonly string[]> {
  const { url } = file.facts
  const text = await request(url, {}, (answer, alive) => textOf(answer, MAX_INDEX, alive))
  const map = (parsed(text, url) as { weight_map?: unknown } | null)?.weight_map
  if (typeof map !== 'object' || map === null) return []
  const names = Object.values(map).filter((name): name is string => typeof name === 'string')
  return [...new Set(names)].filter((name) => !/[/\\]|^\.\.?$/.test(name)).slice(0, MAX_FILES)
}

/** Name of a file in a URL: its last part, if that has an ending. */
const fileIn = ({ pathname }: URL): string | null => /\/([^/]+\.[A-Za-z0-9_-]+)$/.exec(pathname)?.[1] ?? null

/**
 * Files at a URL: a file and those beside it, or a folder whose files have the usual names.
 * @throws AlbertkitError `usage` if nothing is there
 */
export async function urlPlace(text: string): Promise<RemotePlace> {
  const url = urlOf(text)
  const file = fileIn(url)
  const folder =
    url.origin + (file === null ? `${url.pathname.replace(/\/+$/, '')}/` : url.pathname.slice(0, -file.length))
  const name = file === null ? null : decodeURIComponent(file)
  const fetcher = new Fetcher()
  try {
    const beside = (one: string): string => folder + encodeURIComponent(one)
    const found =
      name === null ? await lookAll(beside, MODELS, fetcher) : await lookAll(() => url.href, [name], fetcher, true)
    if (found.length === 0) throw statusError(text, 404)
    const indexes = found.filter(([one]) => one.endsWith('.index.json')).map(([, one]) => shardsOf(one))
    const shards = (await Promise.all(indexes)).flat()
    const data = found
      .filter(([one]) => one.endsWith('.index'))
      .map(([one]) => `${one.slice(0, -5)}data-00000-of-00001`)
    found.push(
      ...(await lookAll(
        beside,
        [...shards, ...data, ...BESIDE].filter((one) => one !== name),
        fetcher,
      )),
    )
    const main = found.find(([one]) => one === name)?.[1].facts.tag
    const tag = main === undefined || main === null ? {} : { tag: main }
    return {
      files: treeFiles(found.map(([one, remote]) => [folder + one, remote] as const)),
      path: name === null ? folder : folder + name,
      origin: { url: url.origin + url.pathname, ...tag },
      close: () => {
        fetcher.close()
      },
    }
  } catch (error) {
    fetcher.close()
    throw error
  }
}

/** The user's token, as huggingface_hub finds it. */
function hubToken({ HF_TOKEN, HF_TOKEN_PATH, HF_HOME }: NodeJS.ProcessEnv = process.env): string | undefined {
  if (HF_TOKEN !== undefined && HF_TOKEN !== '') return HF_TOKEN.trim()
  try {
    const home = HF_HOME ?? joinDisk(homedir(), '.cache', 'huggingface')
    const token = readPlainText(HF_TOKEN_PATH ?? joinDisk(home, 'token')).trim()
    return token === '' ? undefined : token
  } catch {
    return undefined
  }
}

interface Listing {
  readonly sha?: unknown
  readonly siblings?: readonly { readonly rfilename?: unknown; readonly size?: unknown; readonly lfs?: unknown }[]
}

/**
 * Files of a model on the hub, at the commit that its revision means now.
 * @throws AlbertkitError `usage` if there is none, `environment` if the hub does not answer or refuses
 */
export async function hubPlace({ repo, revision, path }: HubReference): Promise<RemotePlace> {
  const endpoint = urlOf(process.env.HF_ENDPOINT ?? 'https://huggingface.co').href.replace(/\/+$/, '')
  const token = hubToken()
  const api = `${endpoint}/api/models/${repo}/revision/${encodeURIComponent(revision)}?blobs=true`
  const listing = await request(api, { token }, async (answer, alive) =>
    parsed(await textOf(answer, MAX_LISTING, alive), api),
  )
  const { sha, siblings } = (listing ?? {}) as Listing
  if (typeof sha !== 'string' || !/^[0-9a-f]{40}$/.test(sha) || !Array.isArray(siblings))
    throw malformed('the hub answers with something else than a list of files', { code: 'header-invalid', file: api })
  const fetcher = new Fetcher()
  const root = `hf:${repo}@${sha}`
  const files = siblings.slice(0, MAX_FILES).flatMap(({ rfilename: name, size }) => {
    if (typeof name !== 'string' || !Number.isSafeInteger(size) || (size as number) < 0) return []
    if (name.split('/').some((part: string) => part === '' || part === '.' || part === '..')) return []
    const url = `${endpoint}/${repo}/resolve/${sha}/${name.split('/').map(encodeURIComponent).join('/')}`
    // A commit never changes: its files need no tag.
    return [[`${root}/${name}`, new RemoteFile({ url, token, size: size as number, tag: null }, fetcher)] as const]
  })
  const port = treeFiles(files)
  const inside = path === '' ? root : `${root}/${path}`
  if (port.stat(inside) === null)
    throw usage(`${repo} has no ${path === '' ? 'files' : path}`, { code: 'file-missing', file: api })
  return {
    files: port,
    path: inside,
    origin: { repo, revision, commit: sha, ...(path === '' ? {} : { path }) },
    close: () => {
      fetcher.close()
    },
  }
}
