import { useJob, type JobOptions } from '../job.js'
import { useSession } from '../session.js'
import type { Kit } from '../../kit/kit.js'
import { Failure, Progress } from './feedback.js'

/** File System Access, which not every browser has. */
interface Pickers {
  readonly showDirectoryPicker?: (options: object) => Promise<FileSystemDirectoryHandle>
  readonly showSaveFilePicker?: (options: object) => Promise<FileSystemFileHandle>
}

const pickers = globalThis as unknown as Pickers

const isRefused = (error: unknown): boolean => error instanceof DOMException && error.name === 'AbortError'

/** Lets the browser download a blob. */
function download(blob: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => {
    URL.revokeObjectURL(link.href)
  }, 60_000)
}

/** Saves a folder as an archive: into the file that the user names, or as a download. */
async function saveZip(kit: Kit, path: string, { signal }: JobOptions): Promise<boolean> {
  const suggestedName = `${path.replaceAll(/[^\p{L}\p{N}.-]+/gu, '-')}.zip`
  const file = await pickers.showSaveFilePicker?.({ suggestedName })
  const stream = await kit.zip(path, { signal })
  if (file === undefined) download(await new Response(stream).blob(), suggestedName)
  else await stream.pipeTo(await file.createWritable(), { signal })
  return true
}

async function saveFolder(kit: Kit, path: string, { signal }: JobOptions): Promise<boolean> {
  const folder = await pickers.showDirectoryPicker?.({ mode: 'readwrite' })
  if (folder !== undefined) await kit.save(path, folder, { signal })
  return true
}

/** Ways to take what was written: an archive, or a folder. */
export function Save({ path }: { readonly path: string }) {
  const { t, kit } = useSession()
  const job = useJob<boolean>()
  const save = (how: typeof saveZip): void => {
    job.run((options) =>
      how(kit, path, options).catch((error: unknown) => {
        // Who closes the dialog wants nothing.
        if (isRefused(error)) return false
        throw error
      }),
    )
  }
  return (
    <>
      <div class="row">
        <button
          type="button"
          onClick={() => {
            save(saveZip)
          }}
        >
          {t('downloadZip')}
        </button>
        {pickers.showDirectoryPicker !== undefined && (
          <button
            type="button"
            class="quiet"
            onClick={() => {
              save(saveFolder)
            }}
          >
            {t('saveFolder')}
          </button>
        )}
        <span role="status">{!job.running && job.result === true && t('saved')}</span>
      </div>
      <Progress job={job}>{t('saving')}</Progress>
      <Failure error={job.error} />
    </>
  )
}
