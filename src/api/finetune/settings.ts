import { usage } from '../../base/errors.js'
import { OPTIMIZERS } from '../../training/optimizer.js'
import { FREEZABLE } from '../../training/rules.js'
import type { TrainOptions } from './options.js'

/** Values that an option takes. */
interface Setting {
  /** The rule in words, after "must be". */
  readonly rule: string
  readonly fits: (value: unknown) => boolean
}

const number = (rule: string, fits: (n: number) => boolean): Setting => ({
  rule,
  fits: (value) => typeof value === 'number' && Number.isFinite(value) && fits(value),
})
const oneOf = (words: readonly unknown[]): Setting => ({
  rule: words.map(String).join(' or '),
  fits: (value) => words.includes(value),
})
const POSITIVE = number('above 0', (n) => n > 0)
const COUNT = number('a whole number above 0', (n) => Number.isSafeInteger(n) && n > 0)
const SHARE = number('from 0 to 1', (n) => n >= 0 && n <= 1)

/** Options of a run that a sweep may vary, with what each takes. */
export const SETTINGS = {
  epochs: POSITIVE,
  batchSize: COUNT,
  accumulate: COUNT,
  steps: COUNT,
  learningRate: POSITIVE,
  warmup: SHARE,
  weightDecay: SHARE,
  optimizer: oneOf(OPTIMIZERS),
  layerwiseDecay: SHARE,
  freeze: oneOf(FREEZABLE),
  dropout: number('at least 0 and below 1', (n) => n >= 0 && n < 1),
  seed: number('a whole number', Number.isSafeInteger),
  evalEvery: COUNT,
  patience: COUNT,
  newHead: oneOf([true, false]),
  maxSeqLength: COUNT,
} as const satisfies Partial<Record<keyof TrainOptions, Setting>>

export type SettingName = keyof typeof SETTINGS
export type Settings = Pick<TrainOptions, SettingName>

export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[]

/** Refuses values that make no run; what is undefined has a default. @throws AlbertkitError `usage` */
export function checkSettings(settings: Settings): void {
  for (const name of SETTING_NAMES) {
    const { rule, fits } = SETTINGS[name]
    if (settings[name] === undefined || fits(settings[name])) continue
    throw usage(`\`${name}\` must be ${rule}`, { code: 'option-invalid' })
  }
}
