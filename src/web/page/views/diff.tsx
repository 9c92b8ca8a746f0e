import { useState } from 'preact/hooks'
import type { DiffReport, SlotStatus } from '../../../api/diff/report.js'
import { useJob } from '../job.js'
import { Card, Failure, Json, Notes, Progress } from '../parts/feedback.js'
import { Facts, Table } from '../parts/table.js'
import { measured, useSession, type Model } from '../session.js'
import type { TextName } from '../texts.js'

const STATUS: Readonly<Record<SlotStatus, TextName>> = {
  equal: 'equal',
  within: 'within',
  differs: 'differs',
  shape: 'otherShape',
  'only-a': 'onlyA',
  'only-b': 'onlyB',
}

const COUNTS: readonly (readonly [name: keyof DiffReport['counts'], text: TextName])[] = [
  ['equal', 'equal'],
  ['within', 'within'],
  ['differs', 'differs'],
  ['shape', 'otherShape'],
  ['onlyA', 'onlyA'],
  ['onlyB', 'onlyB'],
]

function Result({ report }: { readonly report: DiffReport }) {
  const { t, n } = useSession()
  return (
    <>
      <p class={report.ok ? 'notice good' : 'notice bad'} role="status">
        {t(report.ok ? 'same' : 'different')}
      </p>
      <div class="card">
        <Facts
          facts={COUNTS.filter(([name]) => report.counts[name] > 0).map(([name, text]) => [
            t(text),
            n(report.counts[name]),
          ])}
        />
      </div>
      {report.config.length > 0 && (
        <Card title={t('config')}>
          <Facts facts={report.config.map(({ field, a, b }) => [field, `${a} → ${b}`])} />
        </Card>
      )}
      <Card title={t('variables')}>
        <Table
          caption={t('diff')}
          rows={[...report.slots].sort((a, b) => Number(a.status === 'equal') - Number(b.status === 'equal'))}
          textOf={({ slot, status }) => `${slot} ${status}`}
          columns={[
            { title: t('slot'), cell: ({ slot }) => <code>{slot}</code> },
            { title: t('status'), cell: ({ status }) => <span class={`state ${status}`}>{t(STATUS[status])}</span> },
            { title: t('maxAbs'), cell: ({ maxAbs }) => measured(maxAbs), numeric: true },
            { title: t('shape'), cell: ({ a, b }) => (a ?? b)?.shape.join(' × '), numeric: true },
          ]}
        />
      </Card>
      <Notes notes={report.notes} />
      <Json report={report} />
    </>
  )
}

/** Two models, weight by weight: `diff`. */
export function Diff({ model }: { readonly model: Model }) {
  const { t, kit, models, open } = useSession()
  const others = models.filter(({ path }) => path !== model.path)
  const [other, setOther] = useState('')
  const [tolerance, setTolerance] = useState('0')
  const job = useJob<DiffReport>()
  const chosen = others.find(({ path }) => path === other)?.path ?? others[0]?.path
  if (chosen === undefined)
    return (
      <div class="ask">
        <p>{t('chooseOther')}</p>
        <button type="button" onClick={open}>
          {t('another')}
        </button>
      </div>
    )
  return (
    <>
      <form
        class="controls row"
        onSubmit={(event) => {
          event.preventDefault()
          const atol = Number(tolerance)
          job.run((options) => kit.diffModels(model.path, chosen, { ...options, ...(atol > 0 ? { atol } : {}) }))
        }}
      >
        <label class="field">
          {t('other')}
          <select
            value={chosen}
            onChange={({ currentTarget }) => {
              setOther(currentTarget.value)
            }}
          >
            {others.map(({ path }) => (
              <option key={path}>{path}</option>
            ))}
          </select>
        </label>
        <label class="field">
          {t('tolerance')}
          <input
            inputMode="decimal"
            value={tolerance}
            onInput={({ currentTarget }) => {
              setTolerance(currentTarget.value)
            }}
          />
        </label>
        <button type="submit" disabled={job.running}>
          {t('compareNow')}
        </button>
      </form>
      <Progress job={job} />
      <Failure error={job.error} />
      {job.result !== null && <Result report={job.result} />}
    </>
  )
}
