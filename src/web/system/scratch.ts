/// <reference lib="dom" />
import { Pages, type ScratchFile } from './pages.js'
import { tree } from './tree.js'

/** Beginning of the names of scratch files, which other pages of this site have too. */
const PREFIX = 'albertkit-scratch-'

interface ScratchHandle {
  createSyncAccessHandle(): Promise<ScratchFile>
}

/** Removes scratch files of workers that ended; one in use cannot be removed. */
async function sweep(root: FileSystemDirectoryHandle): Promise<void> {
  const names: string[] = []
  for await (const name of (root as unknown as { keys(): AsyncIterable<string> }).keys())
    if (name.startsWith(PREFIX)) names.push(name)
  for (const name of names) await root.removeEntry(name).catch(() => undefined)
}

/** Opens a file of the browser for what does not fit into memory; without one, everything stays there. */
export async function openScratch(): Promise<void> {
  try {
    const root = await navigator.storage.getDirectory()
    await sweep(root)
    const file = await root.getFileHandle(`${PREFIX}${crypto.randomUUID()}`, { create: true })
    tree.pages = new Pages(await (file as unknown as ScratchHandle).createSyncAccessHandle())
  } catch {
    // A private window, or a page without a storage of its own.
  }
}
