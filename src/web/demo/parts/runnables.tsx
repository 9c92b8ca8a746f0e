import type { Runnable } from '../../../api/page/report.js'
import type { TextRunner } from '../../../api/inference/runners.js'
import { useSession } from '../../page/session.js'
import { keyOf } from '../readings.js'

const RUNTIMES: Readonly<Record<TextRunner, string>> = {
  onnxruntime: 'onnxruntime',
  'tfjs-wasm': 'TensorFlow.js · wasm',
  'onnxruntime-web': 'onnxruntime-web · wasm',
  litert: 'LiteRT · wasm',
  'tfjs-webgpu': 'TensorFlow.js · WebGPU',
  'ort-webgpu': 'onnxruntime-web · WebGPU',
}

export const nameOf = ({ runner, precision }: Runnable): string => `${RUNTIMES[runner]} · ${precision}`

interface PickerProps {
  readonly runnables: readonly Runnable[]
  readonly chosen: readonly Runnable[]
  readonly onChosen: (chosen: readonly Runnable[]) => void
}

/** Runtimes and precisions, of which any number answer. */
export function RunnablePicker({ runnables, chosen, onChosen }: PickerProps) {
  const { t, size } = useSession()
  return (
    <fieldset>
      <legend class="visually-hidden">{t('runtimes')}</legend>
      <div class="choices">
        {runnables.map((runnable) => {
          const isChosen = chosen.some((one) => keyOf(one) === keyOf(runnable))
          return (
            <label key={keyOf(runnable)} class="chip">
              <input
                type="checkbox"
                checked={isChosen}
                // One answers always.
                disabled={isChosen && chosen.length === 1}
                onChange={({ currentTarget }) => {
                  const keys = new Set([...chosen.map(keyOf), keyOf(runnable)])
                  if (!currentTarget.checked) keys.delete(keyOf(runnable))
                  onChosen(runnables.filter((one) => keys.has(keyOf(one))))
                }}
              />
              <span>
                {nameOf(runnable)}{' '}
                <small class="muted">{runnable.bytes === null ? t('converted') : size(runnable.bytes)}</small>
              </span>
            </label>
          )
        })}
      </div>
    </fieldset>
  )
}
