import { useMemo, useState } from 'preact/hooks'
import type { PageTask, Runnable, TextRequest } from '../../../api/page/report.js'
import { Card, Failure } from '../../page/parts/feedback.js'
import { useSession } from '../../page/session.js'
import type { Opened } from '../app.js'
import { AnswerView } from '../parts/answer.js'
import { Comparison } from '../parts/comparison.js'
import { Inputs, isComplete, MASK, type Texts } from '../parts/inputs.js'
import { nameOf, RunnablePicker } from '../parts/runnables.js'
import { TokenList } from '../parts/tokens.js'
import { keyOf, useReadings } from '../readings.js'

/** Texts that a task begins with. */
function firstTexts(task: PageTask, [first = '', next = '', third = '']: readonly string[]): Texts {
  switch (task) {
    case 'mlm': {
      const characters = Array.from(first)
      const at = Math.min(2, Math.max(0, characters.length - 1))
      return { text: first === '' ? '' : characters.with(at, MASK).join(''), textB: '' }
    }
    case 'sop':
      return { text: first, textB: next }
    case 'features':
      return { text: [first, next, third].filter((text) => text !== '').join('\n'), textB: '' }
    case 'qa':
      return { text: '', textB: '' }
    default:
      return { text: first, textB: '' }
  }
}

/** A task: its texts, the answer, and what the runtimes make of it. */
export function TaskView({ opened, task }: { readonly opened: Opened; readonly task: PageTask }) {
  const { kit, t } = useSession()
  const { path, report } = opened
  const [texts, setTexts] = useState<Texts>(() => firstTexts(task, report.examples))
  const [chosen, setChosen] = useState<readonly Runnable[]>(() => report.runnables.slice(0, 1))
  const request = useMemo<TextRequest | null>(
    () => (isComplete(task, texts) ? { task, ...texts } : null),
    [task, texts],
  )
  const { outcomes, busy } = useReadings(kit, path, { request, runnables: chosen })
  const shown = chosen.flatMap((runnable) => outcomes.get(keyOf(runnable)) ?? [])
  const main = shown.find(({ reading }) => reading !== null) ?? shown[0]
  const reading = request === null ? null : (main?.reading ?? null)
  return (
    <>
      <div class="ask-and-answer">
        <div class="controls card">
          <Inputs task={task} report={report} texts={texts} onTexts={setTexts} />
        </div>
        <Card title={t('answer')}>
          <div class="busy muted" role="status">
            {busy !== null && outcomes.get(keyOf(busy)) === undefined && t('loading', { name: nameOf(busy) })}
          </div>
          {reading === null ? (
            main?.error == null && <p class="muted">{t(request === null && task === 'mlm' ? 'noMask' : 'empty')}</p>
          ) : (
            <AnswerView answer={reading.answer} texts={main!.request} />
          )}
          {request !== null && main?.reading === null && <Failure error={main.error} />}
        </Card>
      </div>
      <Card title={t('runtimes')} {...(report.runnables.length > 1 ? { hint: t('runtimesHint') } : {})}>
        <RunnablePicker runnables={report.runnables} chosen={chosen} onChosen={setChosen} />
        {request !== null && shown.length > 0 && <Comparison outcomes={shown} main={main!} />}
      </Card>
      {reading !== null && <TokenList reading={reading} />}
    </>
  )
}
