import { useState } from 'preact/hooks'
import type { ConvertOptions } from '../../../api/convert/options.js'
import type { ConvertReport } from '../../../api/convert/report.js'
import { layoutOf, TARGET_NAMES, type Precision, type Target } from '../../../base/artefact-layout.js'
import type { TargetChoice } from '../../../base/target-choice.js'
import type { Kit } from '../../kit/kit.js'
import type { KitFile } from '../../kit/protocol.js'
import { useJob, type JobOptions } from '../job.js'
import { Card, Failure, Json, Notes, Progress } from '../parts/feedback.js'
import { Save } from '../parts/save.js'
import { Table } from '../parts/table.js'
import { measured, useSession, type Model } from '../session.js'

/** Precisions by target that are chosen; a target without any is not written. */
type Chosen = Readonly<Partial<Record<Target, readonly Precision[]>>>

interface Asked {
  readonly chosen: Chosen
  readonly verify: boolean
  readonly asBert: boolean
}

/** A conversion and the files that it wrote; none if it failed. */
interface Done {
  readonly report: ConvertReport
  readonly files: readonly KitFile[]
}

/** Precisions that a target is offered in; a checkpoint without a choice keeps those of its source. */
const precisionsOf = (target: Target): readonly Precision[] => {
  const { precisions } = layoutOf(target)
  return precisions.length === 0 ? ['f32'] : precisions
}

function optionsOf({ chosen, verify, asBert }: Asked): ConvertOptions {
  const targets = TARGET_NAMES.flatMap((target): TargetChoice[] => {
    const precisions = chosen[target] ?? []
    if (precisions.length === 0) return []
    const isPlain = precisions.join() === 'f32'
    return [isPlain ? target : `${target}:${precisions.join()}`]
  })
  return { targets, verify, force: true, ...(asBert ? { targetArchitecture: 'bert' } : {}) }
}

/** Converts, and forgets what was written before. */
async function convert(kit: Kit, path: string, asked: Asked, options: JobOptions): Promise<Done> {
  const out = `${path} converted`
  await kit.remove(out).catch(() => undefined)
  const report = await kit.convertModel(path, out, { ...optionsOf(asked), ...options })
  return { report, files: report.ok ? await kit.files(out) : [] }
}

function Targets({ chosen, change }: { readonly chosen: Chosen; readonly change: (chosen: Chosen) => void }) {
  const { t } = useSession()
  return (
    <fieldset>
      <legend>{t('targets')}</legend>
      <div class="targets">
        {TARGET_NAMES.map((target) => (
          <div key={target} class="target" role="group" aria-label={layoutOf(target).title}>
            <span>{layoutOf(target).title}</span>
            <div class="choices">
              {precisionsOf(target).map((precision) => (
                <label key={precision} class="chip">
                  <input
                    type="checkbox"
                    checked={chosen[target]?.includes(precision) ?? false}
                    onChange={({ currentTarget }) => {
                      const kept = precisionsOf(target).filter((other) =>
                        other === precision ? currentTarget.checked : chosen[target]?.includes(other),
                      )
                      // Tensors of one file have one precision.
                      const hasMany = target === 'onnx' || target === 'tflite'
                      change({ ...chosen, [target]: hasMany || !currentTarget.checked ? kept : [precision] })
                    }}
                  />
                  {layoutOf(target).precisions.length === 0 ? '✓' : precision}
                </label>
              ))}
            </div>
          </div>
        ))}
      </div>
    </fieldset>
  )
}

function Verification({ report }: { readonly report: ConvertReport }) {
  const { t } = useSession()
  const { verification, gate } = report
  if (verification === null) return <p class="notice">{t('notVerified')}</p>
  return (
    <Card title={t('verified')} hint={verification.runtimes.map(({ detail }) => detail).join(' · ')}>
      <Table
        caption={t('verified')}
        rows={verification.comparisons}
        columns={[
          {
            title: t('result'),
            cell: ({ ok }) => <span class={ok ? 'state good' : 'state bad'}>{t(ok ? 'ok' : 'notOk')}</span>,
          },
          { title: t('runtime'), cell: ({ runner, dtype }) => [runner, dtype].filter(Boolean).join(' ') },
          { title: t('output'), cell: ({ output, rows }) => [output, rows].filter(Boolean).join(' · ') },
          { title: t('maxAbs'), cell: ({ maxAbs }) => measured(maxAbs), numeric: true },
          { title: t('bound'), cell: ({ atol }) => measured(atol), numeric: true },
        ]}
      />
      {gate.map(({ artefact, agreement, ok }) => (
        <p key={artefact}>
          <span class={ok ? 'state good' : 'state bad'}>{t(ok ? 'ok' : 'notOk')}</span> {t('gate')}: {artefact},{' '}
          {(100 * agreement).toFixed(1)} %
        </p>
      ))}
    </Card>
  )
}

function Result({ done: { report, files } }: { readonly done: Done }) {
  const { t, size } = useSession()
  return (
    <>
      {!report.ok && (
        <p class="notice bad" role="alert">
          {t('verificationFailed')}
        </p>
      )}
      {report.ok && (
        <Card title={t('written')}>
          <Table
            caption={t('files')}
            rows={files}
            columns={[
              { title: t('name'), cell: ({ path }) => <code>{path}</code> },
              { title: t('fileBytes'), cell: ({ bytes }) => size(bytes), numeric: true },
            ]}
          />
          <Save path={report.output} />
        </Card>
      )}
      <Verification report={report} />
      <Notes notes={report.notes} />
      <Json report={report} />
    </>
  )
}

/** Writes a model in other formats, and verifies them here: `convert`. */
export function Convert({ model }: { readonly model: Model }) {
  const { t, kit } = useSession()
  const job = useJob<Done>()
  const [asked, setAsked] = useState<Asked>({ chosen: { onnx: ['f32'] }, verify: true, asBert: false })
  const change = (part: Partial<Asked>): void => {
    setAsked((before) => ({ ...before, ...part }))
  }
  const isNothing = optionsOf(asked).targets.length === 0
  return (
    <>
      <form
        class="controls"
        onSubmit={(event) => {
          event.preventDefault()
          job.run((options) => convert(kit, model.path, asked, options))
        }}
      >
        <Targets
          chosen={asked.chosen}
          change={(chosen) => {
            change({ chosen })
          }}
        />
        <label class="check">
          <input
            type="checkbox"
            checked={asked.verify}
            onChange={({ currentTarget }) => {
              change({ verify: currentTarget.checked })
            }}
          />
          <span>
            {t('verify')} <small class="muted">{t('verifyHint')}</small>
          </span>
        </label>
        {asked.chosen.safetensors !== undefined && asked.chosen.safetensors.length > 0 && (
          <label class="check">
            <input
              type="checkbox"
              checked={asked.asBert}
              onChange={({ currentTarget }) => {
                change({ asBert: currentTarget.checked })
              }}
            />
            <span>
              {t('asBert')} <small class="muted">{t('asBertHint')}</small>
            </span>
          </label>
        )}
        <button type="submit" disabled={job.running || isNothing}>
          {t('start')}
        </button>
      </form>
      <Progress job={job} />
      <Failure error={job.error} />
      {job.result !== null && <Result done={job.result} />}
    </>
  )
}
