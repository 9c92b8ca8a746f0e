import { useState } from 'preact/hooks'
import type { ComponentChildren } from 'preact'
import { AlbertkitError } from '../../../base/errors.js'
import { toJsonText } from '../../../base/json-text.js'
import type { Job } from '../job.js'
import { useSession } from '../session.js'

/** What an operation is doing, and a way to stop it. */
export function Progress({
  job,
  children,
}: {
  readonly job: Pick<Job<unknown>, 'running' | 'step' | 'cancel'>
  readonly children?: ComponentChildren
}) {
  const { t } = useSession()
  const { step } = job
  const counted = step?.total != null ? t('step', { n: (step.done ?? 0) + 1, of: step.total }) : ''
  return (
    <div class="progress" role="status">
      {job.running && (
        <>
          <span class="spinner" aria-hidden="true" />
          <span class="grow">
            {children ?? t('working')}{' '}
            {step !== null && <span class="muted">{[step.stage, step.item].filter(Boolean).join(' · ')}</span>}
          </span>
          <span class="muted">{counted}</span>
          <button type="button" class="quiet" onClick={job.cancel}>
            {t('cancel')}
          </button>
        </>
      )}
    </div>
  )
}

/** Message, place and advice of an error. */
export function Failure({ error }: { readonly error: Error | null }) {
  const { t } = useSession()
  if (error === null) return null
  const known = error instanceof AlbertkitError ? error : null
  const place = [known?.place.file, known?.place.tensor, known?.place.field].filter((part) => part !== undefined)
  return (
    <div class="notice bad" role="alert">
      <strong>{t('failed')}</strong>
      <p>{error.message}</p>
      {place.length > 0 && (
        <p class="muted">
          {t('place')}: <code>{place.join(' · ')}</code>
        </p>
      )}
      {known?.hint !== undefined && <p>{known.hint}</p>}
    </div>
  )
}

export function Notes({ notes }: { readonly notes: readonly string[] }) {
  const { t } = useSession()
  if (notes.length === 0) return null
  return (
    <details class="notice" open={notes.length <= 2}>
      <summary>
        {t('notes')} ({notes.length})
      </summary>
      <ul>
        {notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
    </details>
  )
}

/** A report as the command line prints it with --json. */
export function Json({ report }: { readonly report: object }) {
  const { t } = useSession()
  const [copied, setCopied] = useState(false)
  const [open, setOpen] = useState(false)
  return (
    <details
      class="json"
      onToggle={(event) => {
        setOpen(event.currentTarget.open)
      }}
    >
      <summary>{t('json')}</summary>
      {open && (
        <>
          <button
            type="button"
            class="quiet"
            onClick={() => {
              void navigator.clipboard.writeText(toJsonText(report)).then(() => {
                setCopied(true)
              })
            }}
          >
            {t(copied ? 'copied' : 'copy')}
          </button>
          <pre tabIndex={0}>{toJsonText(report)}</pre>
        </>
      )}
    </details>
  )
}

/** A section of a view. */
export function Card({
  title,
  children,
  hint,
}: {
  readonly title: string
  readonly hint?: string
  readonly children: ComponentChildren
}) {
  return (
    <section class="card">
      <h3>
        {title} {hint !== undefined && <small class="muted">{hint}</small>}
      </h3>
      {children}
    </section>
  )
}
