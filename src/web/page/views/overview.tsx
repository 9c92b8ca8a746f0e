import { Card, Json, Notes } from '../parts/feedback.js'
import { PartBars } from '../parts/pictures.js'
import { Facts, Table } from '../parts/table.js'
import { useSession, type Model } from '../session.js'
import type { InspectReport } from '../../../api/inspect/report.js'

/** Fields of a configuration that a reader looks for first. */
const FIELDS = [
  'vocab_size',
  'embedding_size',
  'hidden_size',
  'intermediate_size',
  'num_hidden_layers',
  'num_attention_heads',
  'num_hidden_groups',
  'inner_group_num',
  'max_position_embeddings',
  'hidden_act',
  'norm_position',
  'layer_norm_eps',
] as const

function Sizes({ report }: { readonly report: InspectReport }) {
  const { t, n, size } = useSession()
  const { parameters } = report
  if (parameters === null) return null
  const { embedding, parts, stored, used, bytes } = parameters
  return (
    <>
      <div class="figures">
        <Figure value={n(stored)} label={t('stored')} />
        <Figure value={n(used)} label={t('used')} hint={t('usedHint')} />
        <Figure value={size(bytes)} label={t('bytes')} />
      </div>
      <Card title={t('parts')}>
        <PartBars label={t('parts')} bars={[{ name: t('stored'), parts, total: stored }]} />
        {embedding.ratio > 1 && (
          <p class="muted">
            {t('embedding')}: V {n(embedding.V)}, E {n(embedding.E)}, H {n(embedding.H)}.{' '}
            {t('embeddingHint', { ratio: embedding.ratio.toPrecision(3) })}
          </p>
        )}
      </Card>
    </>
  )
}

function Figure({ value, label, hint }: { readonly value: string; readonly label: string; readonly hint?: string }) {
  return (
    <div class="figure">
      <strong>{value}</strong>
      <span>{label}</span>
      {hint !== undefined && <small class="muted">{hint}</small>}
    </div>
  )
}

/** What a model is: `inspect`. */
export function Overview({ model: { report } }: { readonly model: Model }) {
  const { t, n } = useSession()
  const { config } = report
  return (
    <>
      {!report.ok && <p class="notice bad">{t('incomplete')}</p>}
      <Sizes report={report} />
      <div class="columns">
        <Card title={report.title}>
          <Facts
            facts={[
              [t('family'), report.family],
              [t('architecture'), report.architecture],
              [t('format'), report.format],
              [t('evidence'), report.reason],
              [t('heads'), report.heads.join(', ') || t('none')],
              [t('files'), report.files.join(', ')],
            ]}
          />
        </Card>
        {config !== null && (
          <Card title={t('config')}>
            <Facts facts={FIELDS.map((field) => [field, String(config[field])])} />
          </Card>
        )}
      </div>
      <Notes notes={report.notes} />
      {report.missing.length > 0 && (
        <p class="notice bad">
          {t('missing')}: {report.missing.map(({ slot }) => slot).join(', ')}
        </p>
      )}
      <Card title={`${t('variables')} (${n(report.variables.length)})`}>
        <Table
          caption={t('variables')}
          rows={report.variables}
          textOf={({ name, slot }) => `${name} ${slot ?? ''}`}
          columns={[
            { title: t('name'), cell: ({ name }) => <code>{name}</code> },
            { title: t('slot'), cell: ({ slot }) => slot ?? <span class="muted">{t('skipped')}</span> },
            { title: t('shape'), cell: ({ shape }) => shape.join(' × '), numeric: true },
            { title: t('dtype'), cell: ({ dtype }) => dtype },
            { title: t('count'), cell: ({ parameters }) => n(parameters), numeric: true },
          ]}
        />
      </Card>
      <Json report={report} />
    </>
  )
}
