import { useEffect, useState } from 'preact/hooks'
import type { ParamsReport } from '../../../api/params/report.js'
import type { ParamsOptions } from '../../../api/params/params.js'
import type { Sharing } from '../../../model/accounting/slots.js'
import { useJob } from '../job.js'
import { Card, Failure, Json } from '../parts/feedback.js'
import { PartBars } from '../parts/pictures.js'
import { Table } from '../parts/table.js'
import { short, useSession, type Model } from '../session.js'
import type { TextName } from '../texts.js'

const PRESETS = ['albert-tiny-zh', 'albert-base', 'albert-large', 'albert-xlarge', 'bert-base', 'bert-large'] as const
const SHARINGS: readonly Sharing[] = ['all', 'attention', 'ffn', 'none']

/** What the controls ask for; empty texts ask for nothing. */
interface Asked {
  readonly presets: readonly string[]
  readonly sizes: Readonly<Record<'embeddingSizes' | 'hiddenSizes' | 'layers', string>>
  readonly sharing: Sharing | ''
  readonly sequence: string
  readonly batch: string
}

const SIZES: readonly (readonly [name: keyof Asked['sizes'], text: TextName, example: string])[] = [
  ['embeddingSizes', 'embeddingSize', '64, 256'],
  ['hiddenSizes', 'hidden', '312, 768'],
  ['layers', 'layers', '4, 12'],
]

const numbers = (text: string): number[] =>
  text
    .split(/[,，\s]+/)
    .filter((word) => /^[1-9]\d*$/.test(word))
    .map(Number)

/** Options of `countModels`, as the flags of `params` give them. */
function optionsOf(path: string, { presets, sizes, sharing, sequence, batch }: Asked): ParamsOptions {
  const [rows = 1] = numbers(batch)
  const [tokens] = numbers(sequence)
  return {
    checksum: true,
    models: [path],
    presets,
    compare: [],
    workload: { batch: rows, elementBytes: 4, ...(tokens === undefined ? {} : { sequence: tokens }) },
    whatIf: {
      embeddingSizes: numbers(sizes.embeddingSizes),
      hiddenSizes: numbers(sizes.hiddenSizes),
      layers: numbers(sizes.layers),
      sharings: sharing === '' ? [] : [sharing],
    },
  }
}

interface ControlsProps {
  readonly asked: Asked
  readonly change: (part: Partial<Asked>) => void
}

function Presets({ asked, change }: ControlsProps) {
  const { t } = useSession()
  return (
    <fieldset>
      <legend>{t('compareWith')}</legend>
      <div class="choices">
        {PRESETS.map((name) => (
          <label key={name} class="chip">
            <input
              type="checkbox"
              checked={asked.presets.includes(name)}
              onChange={({ currentTarget }) => {
                const others = asked.presets.filter((other) => other !== name)
                change({ presets: currentTarget.checked ? [...others, name] : others })
              }}
            />
            {name}
          </label>
        ))}
      </div>
    </fieldset>
  )
}

function Sizes({ asked, change }: ControlsProps) {
  const { t } = useSession()
  return (
    <fieldset>
      <legend>{t('whatIf')}</legend>
      <div class="fields">
        {SIZES.map(([name, text, example]) => (
          <label key={name} class="field">
            {t(text)}
            <input
              inputMode="numeric"
              placeholder={example}
              value={asked.sizes[name]}
              onInput={({ currentTarget }) => {
                change({ sizes: { ...asked.sizes, [name]: currentTarget.value } })
              }}
            />
          </label>
        ))}
        <label class="field">
          {t('share')}
          <select
            value={asked.sharing}
            onChange={({ currentTarget }) => {
              change({ sharing: currentTarget.value as Sharing | '' })
            }}
          >
            <option value="">{t('shareAsIs')}</option>
            {SHARINGS.map((sharing) => (
              <option key={sharing}>{sharing}</option>
            ))}
          </select>
        </label>
        {(['sequence', 'batch'] as const).map((name) => (
          <label key={name} class="field">
            {t(name)}
            <input
              inputMode="numeric"
              placeholder={name === 'sequence' ? '128' : '1'}
              value={asked[name]}
              onInput={({ currentTarget }) => {
                change({ [name]: currentTarget.value })
              }}
            />
          </label>
        ))}
      </div>
    </fieldset>
  )
}

function Result({ report }: { readonly report: ParamsReport }) {
  const { t, n, size } = useSession()
  return (
    <>
      <Card title={t('parts')}>
        <PartBars
          label={t('parts')}
          bars={report.columns.map(({ name, parts, stored }) => ({ name, parts, total: stored }))}
        />
      </Card>
      <Card title={t('params')}>
        <Table
          caption={t('params')}
          rows={report.columns}
          columns={[
            { title: t('name'), cell: ({ name }) => <strong>{name}</strong> },
            { title: t('stored'), cell: ({ stored }) => n(stored), numeric: true },
            { title: t('used'), cell: ({ used }) => n(used), numeric: true },
            { title: t('memory'), cell: ({ footprint }) => size(footprint.memory.weights), numeric: true },
            { title: t('activations'), cell: ({ footprint }) => size(footprint.memory.inference), numeric: true },
            { title: t('flops'), cell: ({ footprint }) => short(footprint.flops.total), numeric: true },
            { title: t('sharing'), cell: ({ sharing }) => sharing },
            { title: t('formula'), cell: ({ formula }) => <code>{formula}</code> },
          ]}
        />
      </Card>
      <Json report={report} />
    </>
  )
}

/** Parameters, operations and memory, beside published sizes and what-ifs: `params`. */
export function Params({ model }: { readonly model: Model }) {
  const { kit } = useSession()
  const job = useJob<ParamsReport>()
  const [asked, setAsked] = useState<Asked>({
    presets: ['albert-base', 'bert-base'],
    sizes: { embeddingSizes: '', hiddenSizes: '', layers: '' },
    sharing: '',
    sequence: '',
    batch: '1',
  })
  const change = (part: Partial<Asked>): void => {
    setAsked((before) => ({ ...before, ...part }))
  }
  useEffect(() => {
    const timer = setTimeout(() => {
      job.run(() => kit.countModels(optionsOf(model.path, asked)))
    }, 150)
    return () => {
      clearTimeout(timer)
    }
  }, [model.path, asked])
  return (
    <>
      <form
        class="controls"
        onSubmit={(event) => {
          event.preventDefault()
        }}
      >
        <Presets asked={asked} change={change} />
        <Sizes asked={asked} change={change} />
      </form>
      <Failure error={job.error} />
      {job.result !== null && <Result report={job.result} />}
    </>
  )
}
