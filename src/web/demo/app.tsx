import { useEffect, useMemo } from 'preact/hooks'
import type { ArtefactsReport, PageTask } from '../../api/page/report.js'
import type { Kit } from '../kit/kit.js'
import { useJob } from '../page/job.js'
import { Failure, Progress } from '../page/parts/feedback.js'
import { Header } from '../page/parts/header.js'
import { TabList } from '../page/parts/tab-list.js'
import { makeSession, SessionContext, useSession, type Model } from '../page/session.js'
import { readSettings, useSettings } from '../page/settings.js'
import { Overview } from '../page/views/overview.js'
import { findArtefacts } from './place.js'
import { Inside } from './views/inside.js'
import { TaskView } from './views/task.js'

/** The artefacts of the page. */
export interface Opened {
  readonly path: string
  readonly report: ArtefactsReport
}

async function open(kit: Kit): Promise<Opened> {
  const { name, files } = await findArtefacts()
  const path = await kit.add(files, { name })
  return { path, report: await kit.describeArtefacts(path) }
}

/** What the model is, read when it is looked at. */
function ModelView({ path }: { readonly path: string }) {
  const { kit, t } = useSession()
  const job = useJob<Model>()
  const { run } = job
  useEffect(() => {
    run(async (options) => ({ path, report: await kit.inspectModel(path, options) }))
  }, [path, kit])
  return (
    <>
      <Progress job={job}>{t('opening')}</Progress>
      <Failure error={job.error} />
      {job.result !== null && <Overview model={job.result} />}
    </>
  )
}

function Views({ opened }: { readonly opened: Opened }) {
  const { t } = useSession()
  const names = [...opened.report.tasks, 'inside', 'model'] as const
  return (
    <TabList<PageTask | 'inside' | 'model'>
      label={t('tasks')}
      names={names}
      titleOf={t}
      view={(name) => {
        if (name === 'model') return <ModelView path={opened.path} />
        return name === 'inside' ? <Inside opened={opened} /> : <TaskView opened={opened} task={name} />
      }}
    />
  )
}

/** The page: a model of a folder that answers texts. */
export function App({ kit }: { readonly kit: Kit }) {
  const [settings, change] = useSettings(readSettings())
  const job = useJob<Opened>()
  const { run, result: opened } = job
  const session = useMemo(
    () => makeSession({ kit, models: [], language: settings.language, open: () => undefined }),
    [kit, settings.language],
  )
  const { t } = session
  const title = opened === null ? 'albertkit' : t('demoTitle', { name: opened.path })
  useEffect(() => {
    run(() => open(kit))
  }, [kit])
  useEffect(() => {
    document.title = title
  }, [title])
  return (
    <SessionContext.Provider value={session}>
      <Header title={title} settings={settings} change={change} />
      <main>
        <p class="lead">{t('demoLead')}</p>
        <Progress job={job}>{t('opening')}</Progress>
        <Failure error={job.error} />
        {opened !== null && <Views opened={opened} />}
      </main>
    </SessionContext.Provider>
  )
}
