import { useRef } from 'preact/hooks'
import type { ArtefactsReport, PageTask } from '../../../api/page/report.js'
import { useSession } from '../../page/session.js'
import type { TextName } from '../../page/texts.js'

export interface Texts {
  readonly text: string
  readonly textB: string
}

interface InputsProps {
  readonly task: PageTask
  readonly report: ArtefactsReport
  readonly texts: Texts
  readonly onTexts: (texts: Texts) => void
}

/** As `api/inference/masked.ts` has it, which a page does not load. */
export const MASK = '[MASK]'

/** Labels of the texts of each task; one without a second has one text. */
const LABELS: Readonly<Record<PageTask, readonly [TextName, TextName?]>> = {
  classify: ['yourText', 'secondText'],
  'token-classification': ['yourText'],
  qa: ['question', 'passage'],
  mlm: ['maskedText'],
  sop: ['firstPart', 'secondPart'],
  features: ['linesText'],
}

const isThere = (text: string): boolean => text.trim() !== ''

/** True if the texts are those that a task needs. */
export function isComplete(task: PageTask, { text, textB }: Texts): boolean {
  if (task === 'qa' || task === 'sop') return isThere(text) && isThere(textB)
  return task === 'mlm' ? text.includes(MASK) : isThere(text)
}

interface FieldProps {
  readonly label: string
  readonly value: string
  readonly rows: number
  readonly onValue: (value: string) => void
  readonly field?: { current: HTMLTextAreaElement | null }
}

function Field({ label, value, rows, onValue, field }: FieldProps) {
  return (
    <label class="field">
      {label}
      <textarea
        ref={field ?? null}
        rows={rows}
        value={value}
        spellcheck={false}
        onInput={({ currentTarget }) => {
          onValue(currentTarget.value)
        }}
      />
    </label>
  )
}

/** The texts of a task, and some to begin with. */
export function Inputs({ task, report, texts, onTexts }: InputsProps) {
  const { t } = useSession()
  const [first, second] = LABELS[task]
  const field = useRef<HTMLTextAreaElement>(null)
  const hasSecond = second !== undefined && (task !== 'classify' || report.takesPairs)
  const examples = ['classify', 'token-classification'].includes(task) ? report.examples : []
  return (
    <>
      <Field
        label={t(first)}
        rows={task === 'features' ? 5 : 3}
        value={texts.text}
        field={field}
        onValue={(text) => {
          onTexts({ ...texts, text })
        }}
      />
      {task === 'mlm' && (
        <button
          type="button"
          class="quiet"
          onClick={() => {
            const { selectionStart: from = 0, selectionEnd: to = 0 } = field.current ?? {}
            onTexts({ ...texts, text: texts.text.slice(0, from) + MASK + texts.text.slice(to) })
            field.current?.focus()
          }}
        >
          {t('addMask')}
        </button>
      )}
      {examples.length > 0 && (
        <div class="examples" role="group" aria-label={t('tryOne')}>
          <span class="muted">{t('tryOne')}</span>
          {examples.map((text) => (
            <button
              key={text}
              type="button"
              class="quiet"
              onClick={() => {
                onTexts({ text, textB: '' })
              }}
            >
              {text}
            </button>
          ))}
        </div>
      )}
      {hasSecond && (
        <Field
          label={t(second)}
          rows={task === 'qa' ? 6 : task === 'sop' ? 3 : 1}
          value={texts.textB}
          onValue={(textB) => {
            onTexts({ ...texts, textB })
          }}
        />
      )}
    </>
  )
}
