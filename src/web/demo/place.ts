import type { RemoteFile } from '../kit/protocol.js'

/** Where the artefacts of the page are: what a server says of them (`place.json`), or the manifest beside the page. */

/** What `albertkit serve` says; empty in a folder that `convert` wrote. */
interface Place {
  readonly name?: string
  readonly files?: Readonly<Record<string, number>>
}

/** The fields of a manifest that name its files. */
interface Listed {
  readonly files?: readonly ListedFile[]
}
interface ListedFile {
  readonly name: string
  readonly bytes?: number
}
interface ManifestFiles extends Listed {
  readonly artefacts?: Readonly<Record<string, Listed>>
}

export interface Artefacts {
  /** Name of their folder. */
  readonly name: string
  readonly files: ReadonlyMap<string, Blob | RemoteFile>
}

const MANIFEST = 'albertkit.json'
/** Name of a folder without one: a page at the root of its server. */
const UNNAMED = 'model'

const home = new URL('../', globalThis.location.href)

async function fetched(url: URL): Promise<Blob> {
  const answer = await fetch(url)
  if (!answer.ok) throw new Error(`${url.pathname.split('/').pop() ?? ''}: ${answer.status} ${answer.statusText}`)
  return answer.blob()
}

const remote = (path: string, bytes: number): readonly [string, RemoteFile] => [
  path,
  { url: new URL(path.split('/').map(encodeURIComponent).join('/'), home).href, bytes },
]

/** Files that the manifest lists; what a page of `--demo` consists of is none of the model. */
function listed(manifest: ManifestFiles, own: string): (readonly [string, RemoteFile])[] {
  const all = [manifest, ...Object.values(manifest.artefacts ?? {})].flatMap(({ files }) => files ?? [])
  return all.flatMap(({ name, bytes }) => (bytes === undefined || name.startsWith(own) ? [] : [remote(name, bytes)]))
}

/** Finds the artefacts beside the page. @throws Error if their list cannot be read */
export async function findArtefacts(): Promise<Artefacts> {
  const place = JSON.parse(await (await fetched(new URL('place.json', globalThis.location.href))).text()) as Place
  if (place.files !== undefined) {
    const files = Object.entries(place.files).map(([path, bytes]) => remote(path, bytes))
    return { name: place.name ?? UNNAMED, files: new Map(files) }
  }
  const manifest = await fetched(new URL(MANIFEST, home))
  const folder = new URL('.', globalThis.location.href).href.slice(home.href.length)
  const files = listed(JSON.parse(await manifest.text()) as ManifestFiles, folder)
  const name = decodeURIComponent(home.pathname.split('/').filter(Boolean).pop() ?? UNNAMED)
  return { name, files: new Map<string, Blob | RemoteFile>([...files, [MANIFEST, manifest]]) }
}
