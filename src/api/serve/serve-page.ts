import { DEMO_FOLDER } from '../../base/artefact-layout.js'
import { usage } from '../../base/errors.js'
import { folderFiles } from './folder-files.js'
import { serveFiles, type ServeOptions, type WebServer } from './serve-files.js'
import { workbenchFiles } from './web-files.js'

export interface ServePageOptions extends ServeOptions {
  /** Folder of artefacts, or of a model; without one the workbench is served. */
  readonly directory?: string
  readonly workbench?: boolean
}

/**
 * Serves the page of a folder's artefacts, or the workbench, on the loopback interface.
 * @throws AlbertkitError `usage` if there is no such folder or both are asked for, `environment`
 */
export async function servePage({ directory, workbench = false, ...options }: ServePageOptions): Promise<WebServer> {
  if (directory === undefined) return serveFiles(workbenchFiles(), options)
  if (workbench)
    throw usage('the workbench has no folder: its page opens what is dropped on it', { code: 'option-conflict' })
  const server = await serveFiles(folderFiles(directory), options)
  return { ...server, url: `${server.url}${DEMO_FOLDER}/` }
}
