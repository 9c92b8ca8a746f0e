import { existsSync, readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { writes } from './write-port.js'

/** `folder` and its parents that do not exist, innermost first. @param folder absolute path */
export function missingFolders(folder: string): string[] {
  const missing: string[] = []
  for (let at = folder; !existsSync(at) && at !== dirname(at); at = dirname(at)) missing.push(at)
  return missing
}

/** Removes folders, as far as they are empty. @param folders a folder and its parents, innermost first */
export function removeEmptyFolders(folders: readonly string[]): void {
  for (const folder of folders) {
    try {
      if (readdirSync(folder).length > 0) break
      writes.removeFolder(folder)
    } catch {
      // Another process removed it first, or writes there.
      break
    }
  }
}
