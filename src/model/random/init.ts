import type { CheckpointTarget } from '../../base/artefact-layout.js'
import { unsupported } from '../../base/errors.js'
import { zeros, type Fill } from '../tensors/derived.js'
import { FFN_GROUPS, type ModelConfig } from '../config.js'
import { ones, truncatedNormal } from './random.js'
import { nameSlots, tableFor } from '../names/write-names.js'
import { slotsOf, type SlotOptions } from '../accounting/slots.js'
import type { PlannedTensor, Translation } from '../rewrite/translation.js'

/** Random models: every slot that a configuration has, initialised as the genuine code does before training. */

/** `initializer_range` of every published configuration. */
export const INITIALIZER_RANGE = 0.02

function fillOf(slot: string, seed: number, deviation: number): Fill {
  if (slot.endsWith('/gamma')) return ones
  return /\/(beta|bias|output_bias)$/.test(slot) ? zeros : truncatedNormal(seed, slot, deviation)
}

export interface RandomOptions extends SlotOptions {
  readonly seed: number
  /** Standard deviation of kernels and tables. */
  readonly deviation?: number
}

/**
 * Plans a random model as tensors of `target`: `tf` under its own family's names, `safetensors` under those of
 * transformers.
 * @throws AlbertkitError `unsupported` if transformers has no such model
 */
export function planRandom(config: ModelConfig, target: CheckpointTarget, options: RandomOptions): Translation {
  const { seed, deviation = INITIALIZER_RANGE } = options
  if (target === 'safetensors' && (config.family === 'zh' || config.family === 'google_fast')) {
    throw unsupported(`transformers has no model of the form ${config.family}`, {
      code: 'translation-impossible',
      hint: "take the size in Google's form, or write a checkpoint with `target` tf",
    })
  }
  const hf = target === 'safetensors' || config.family === 'hf'
  if (hf && target === 'tf') {
    throw unsupported("the configuration is transformers', whose names are not those of a TensorFlow checkpoint", {
      code: 'translation-impossible',
      file: config.file,
      hint: 'write it with `target` safetensors',
    })
  }
  const there: ModelConfig = hf ? { ...config, family: 'hf' } : config
  const slots = slotsOf(there, options)
  const paths = slots.map(({ slot }) => slot)
  const table = tableFor(there, paths)
  const names = nameSlots(table, there, paths, { bare: hf && (options.heads ?? []).length === 0 })
  const tensors = slots.map(({ slot, shape }): PlannedTensor => {
    const named = names.get(slot)
    if (named == null)
      throw unsupported(`${table.title} has no place for ${slot}`, {
        code: 'translation-impossible',
        file: config.file,
      })
    const { layout } = named.row
    const transposed = layout === 'transposed'
    const [, rows = 1, columns = 1] = shape
    const stored = layout === 'grouped' ? [rows, columns, FFN_GROUPS] : transposed ? [...shape].reverse() : shape
    const origin = { kind: 'computed', fill: fillOf(slot, seed, deviation) } as const
    // The order of random values does not matter: a grouped kernel is made in its stored order.
    const logicalShape = layout === 'grouped' ? stored : shape
    return { name: named.name, slot, logicalShape, shape: stored, transposed, dtype: 'F32', origin }
  })
  return { table, config: there, form: null, tensors, notes: [] }
}
