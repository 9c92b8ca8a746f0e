import { useEffect, useMemo, useState } from 'preact/hooks'
import type { Kit } from '../kit/kit.js'
import type { ModelInput } from '../kit/gather.js'
import { useJob } from './job.js'
import { Drop } from './parts/drop.js'
import { Failure, Progress } from './parts/feedback.js'
import { Header } from './parts/header.js'
import { Tabs } from './parts/tabs.js'
import { makeSession, SessionContext, useSession, type Model } from './session.js'
import { readSettings, useSettings } from './settings.js'

interface ModelsProps {
  readonly active: string
  readonly choose: (path: string) => void
  readonly close: (path: string) => void
}

/** The open models, of which one is shown. */
function Models({ active, choose, close }: ModelsProps) {
  const { t, models } = useSession()
  return (
    <nav class="models" aria-label={t('models')}>
      {models.map(({ path, report }) => (
        <span key={path} class={path === active ? 'model active' : 'model'}>
          <button
            type="button"
            aria-current={path === active ? 'true' : undefined}
            onClick={() => {
              choose(path)
            }}
          >
            <strong>{path}</strong> <small>{report.family}</small>
          </button>
          <button
            type="button"
            class="close"
            aria-label={t('close', { name: path })}
            onClick={() => {
              close(path)
            }}
          >
            ×
          </button>
        </span>
      ))}
    </nav>
  )
}

/** Makes files readable and tells what they are; what is no model is forgotten. */
async function open(
  kit: Kit,
  input: Promise<ModelInput>,
  name: string | undefined,
  signal: AbortSignal,
): Promise<Model> {
  const path = await kit.add(await input, name === undefined ? {} : { name })
  try {
    return { path, report: await kit.inspectModel(path, { signal }) }
  } catch (error) {
    await kit.remove(path)
    throw error
  }
}

/** The workbench. */
export function App({ kit }: { readonly kit: Kit }) {
  const [settings, change] = useSettings(readSettings())
  const [models, setModels] = useState<readonly Model[]>([])
  const [active, setActive] = useState('')
  const job = useJob<Model>()
  const session = useMemo(
    () =>
      makeSession({
        kit,
        models,
        language: settings.language,
        open: () => {
          document.getElementById('choose-files')?.focus()
        },
      }),
    [kit, models, settings.language],
  )
  useEffect(() => {
    document.title = session.t('title')
  }, [session])
  const take = (input: Promise<ModelInput>, name?: string): void => {
    job.run(async ({ signal }) => {
      const model = await open(kit, input, name, signal)
      setModels((before) => [...before, model])
      setActive(model.path)
      return model
    })
  }
  const close = (path: string): void => {
    const left = models.filter((model) => model.path !== path)
    setModels(left)
    if (path === active) setActive(left.at(-1)?.path ?? '')
    void kit.remove(path)
  }
  const shown = models.find(({ path }) => path === active)
  return (
    <SessionContext.Provider value={session}>
      <Header title={session.t('title')} settings={settings} change={change} />
      <main>
        {models.length === 0 && <p class="lead">{session.t('lead')}</p>}
        <Drop isSmall={models.length > 0} onInput={take} />
        <Progress job={job} />
        <Failure error={job.error} />
        {models.length > 0 && <Models active={active} choose={setActive} close={close} />}
        {shown !== undefined && <Tabs key={shown.path} model={shown} />}
      </main>
    </SessionContext.Provider>
  )
}
