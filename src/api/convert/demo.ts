import { dirname, join } from 'node:path'
import { DEMO_FOLDER, isGraphTarget, type GraphTarget } from '../../base/artefact-layout.js'
import { makeFolders, writing } from '../../files/output-file.js'
import { writes } from '../../files/write-port.js'
import { demoFiles } from '../serve/web-files.js'

/**
 * Writes the page that tries the artefacts of a directory into a folder of it.
 * @param artefacts names in the manifest of all artefacts that the directory will have
 * @returns a note for the user
 * @throws AlbertkitError `environment` if this installation lacks the page, `output`
 */
// eslint-disable-next-line @typescript-eslint/require-await -- a promise in a page, which has no pages to write
export async function writeDemo(staging: string, artefacts: readonly string[]): Promise<string> {
  const targets = artefacts
    .map((key) => key.split('-')[0] ?? '')
    .filter((name): name is GraphTarget => isGraphTarget(name))
  for (const [path, file] of demoFiles([...new Set(targets)])) {
    const to = join(staging, DEMO_FOLDER, path)
    makeFolders(dirname(to))
    writing(to, () => {
      writes.copy(file, to)
    })
  }
  return `${DEMO_FOLDER}/ is a page that tries these files: publish the directory on any web server, and open ${DEMO_FOLDER}/ there`
}
