import type { WeightsReport } from '../../../api/weights/report.js'
import { useJob } from '../job.js'
import { Card, Failure, Json, Notes, Progress } from '../parts/feedback.js'
import { Spectrum } from '../parts/pictures.js'
import { Table } from '../parts/table.js'
import { measured, useSession, type Model } from '../session.js'

const MARKS = { good: '✓', warning: '!', bad: '✕' } as const

function Findings({ report }: { readonly report: WeightsReport }) {
  const { t } = useSession()
  return (
    <Card title={t('findings')}>
      <ul class="verdicts">
        {report.verdicts.map(({ level, text }) => (
          <li key={text} class={level}>
            <span class="mark" aria-hidden="true">
              {MARKS[level]}
            </span>
            <span class="visually-hidden">{t(level)}: </span>
            {text}
          </li>
        ))}
      </ul>
    </Card>
  )
}

function Ranks({ ranks }: Pick<WeightsReport, 'ranks'>) {
  const { t } = useSession()
  if (ranks === null) return null
  const { effective, possible, singular } = ranks.word
  const hint = t('effective', { n: effective.toPrecision(3), of: possible })
  return (
    <Card title={t('spectrum')} hint={hint}>
      <Spectrum values={singular} label={`${t('spectrum')}: ${hint}`} />
    </Card>
  )
}

function Result({ report }: { readonly report: WeightsReport }) {
  const { t } = useSession()
  return (
    <>
      <Findings report={report} />
      <Ranks ranks={report.ranks} />
      <Card title={t('weights')}>
        <Table
          caption={t('weights')}
          rows={report.tensors}
          textOf={({ slot, variable, state }) => `${slot} ${variable} ${state}`}
          columns={[
            { title: t('slot'), cell: ({ slot }) => <code>{slot}</code> },
            { title: t('state'), cell: ({ state }) => <span class={`state ${state}`}>{state}</span> },
            { title: t('mean'), cell: ({ mean }) => measured(mean), numeric: true },
            { title: t('std'), cell: ({ std }) => measured(std), numeric: true },
            { title: t('range'), cell: ({ min, max }) => `${measured(min)} … ${measured(max)}`, numeric: true },
            { title: t('shape'), cell: ({ shape }) => shape.join(' × '), numeric: true },
          ]}
        />
      </Card>
      <Notes notes={report.notes} />
      <Json report={report} />
    </>
  )
}

/** Health of the weights: `weights`. */
export function Weights({ model }: { readonly model: Model }) {
  const { t, kit } = useSession()
  const job = useJob<WeightsReport>()
  return (
    <>
      <div class="ask">
        <p>{t('examineHint')}</p>
        <button
          type="button"
          disabled={job.running}
          onClick={() => {
            job.run((options) => kit.analyseWeights(model.path, options))
          }}
        >
          {t('examine')}
        </button>
      </div>
      <Progress job={job} />
      <Failure error={job.error} />
      {job.result !== null && <Result report={job.result} />}
    </>
  )
}
