import { useRef, useState } from 'preact/hooks'
import type { ModelInput } from '../../kit/gather.js'
import { useSession } from '../session.js'

/** Chromium gives handles of what is dropped, which name folders; others give files. */
interface HandleItem {
  readonly getAsFileSystemHandle?: () => Promise<FileSystemHandle | null>
}

/** What was dropped: a folder, or the files together. */
async function dropped({ items, files }: DataTransfer): Promise<ModelInput> {
  // To be asked for before anything is waited for.
  const asked = [...items].map(
    (item) => (item as unknown as HandleItem).getAsFileSystemHandle?.() ?? Promise.resolve(null),
  )
  const all = [...files]
  const handles = (await Promise.all(asked)).filter((handle) => handle !== null)
  const folder = handles.find(({ kind }) => kind === 'directory')
  return folder === undefined ? all : (folder as FileSystemDirectoryHandle)
}

/** The sample model of the static folder. */
const SAMPLE = ['albert_config.json', 'labels.txt', 'model.ckpt.index', 'model.ckpt.data-00000-of-00001', 'vocab.txt']

async function sample(): Promise<ModelInput> {
  const files = SAMPLE.map(async (name) => {
    const answer = await fetch(`sample/${name}`)
    if (!answer.ok) throw new Error(`sample/${name}: ${answer.status}`)
    return [name, await answer.blob()] as const
  })
  return new Map(await Promise.all(files))
}

interface DropProps {
  readonly isSmall: boolean
  readonly onInput: (input: Promise<ModelInput>, name?: string) => void
}

/** The place where models are dropped, and buttons that choose them. */
export function Drop({ isSmall, onInput }: DropProps) {
  const { t } = useSession()
  const [over, setOver] = useState(false)
  const files = useRef<HTMLInputElement>(null)
  const folder = useRef<HTMLInputElement>(null)
  const take = (input: HTMLInputElement): void => {
    // The list is that of the input, which is emptied.
    if (input.files !== null && input.files.length > 0) onInput(Promise.resolve([...input.files]))
    input.value = ''
  }
  return (
    <section
      class={`drop${over ? ' over' : ''}${isSmall ? ' small' : ''}`}
      aria-label={t('drop')}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => {
        setOver(false)
      }}
      onDrop={(event) => {
        event.preventDefault()
        setOver(false)
        if (event.dataTransfer !== null) onInput(dropped(event.dataTransfer))
      }}
    >
      <h2>{t('drop')}</h2>
      {!isSmall && <p class="muted">{t('dropMore')}</p>}
      <div class="row">
        <button type="button" id="choose-files" onClick={() => files.current?.click()}>
          {t('chooseFiles')}
        </button>
        <button type="button" class="quiet" onClick={() => folder.current?.click()}>
          {t('chooseFolder')}
        </button>
        <button
          type="button"
          class="quiet"
          onClick={() => {
            onInput(sample(), 'zh-news')
          }}
        >
          {t('sample')}
        </button>
      </div>
      <input
        ref={files}
        type="file"
        multiple
        hidden
        aria-label={t('chooseFiles')}
        onChange={({ currentTarget }) => {
          take(currentTarget)
        }}
      />
      <input
        ref={folder}
        type="file"
        hidden
        aria-label={t('chooseFolder')}
        {...{ webkitdirectory: true }}
        onChange={({ currentTarget }) => {
          take(currentTarget)
        }}
      />
    </section>
  )
}
