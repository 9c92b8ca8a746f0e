import { parseJson } from '../../base/json-text.js'
import { malformed, unreadable } from '../../base/errors.js'
import { readText } from '../../formats/core/file.js'
import type { FilePort } from '../../formats/core/file-port.js'
import type { Family } from '../../model/config.js'
import { DEFAULT_SETTINGS, OPTIMIZERS, type OptimizerSettings } from '../../training/optimizer.js'
import { familyRules, NO_DECAY, type VariableRules } from '../../training/rules.js'
import type { Schedule } from '../../training/schedule.js'
import * as z from '../../vendor/zod.js'

const positive = z.number().check(z.gte(0))
const names = z.optional(z.nullable(z.array(z.string())))

/**
 * A recipe: hyper-parameters of a training run whose batches are given. Fields that are not listed here, e.g. results
 * of a run that the file also describes, are ignored.
 */
const RECIPE = z.object({
  init_learning_rate: positive,
  train_steps: z.int().check(z.gte(1)),
  warmup_steps: z.optional(z.int().check(z.gte(0))),
  optimizer: z.optional(z.oneOf(OPTIMIZERS)),
  optimizer_hyper_parameters: z.optional(
    z.object({
      beta_1: z.optional(positive),
      beta_2: z.optional(positive),
      epsilon: z.optional(positive),
      weight_decay_rate: z.optional(positive),
      clip_norm: z.optional(z.nullable(positive)),
      exclude_from_weight_decay: names,
    }),
  ),
  /** Classes of the head, if the source has none. */
  num_labels: z.optional(z.int().check(z.gte(1))),
  /** Names of variables, if they differ from those that follow from the family. */
  weight_decay_applies_to: names,
  trust_ratio_applies_to: names,
  lookup_gradients: names,
  /** Names of the optimizer's slots in a TensorFlow checkpoint. */
  slots: names,
})

export interface Recipe {
  readonly settings: OptimizerSettings
  readonly schedule: Schedule
  readonly classes: number | undefined
  readonly rules: (family: Family) => VariableRules
  /** Last parts of the names of the optimizer's slots; undefined for those of the family. */
  readonly slots: readonly [m: string, v: string] | undefined
}

/** Reads a recipe. @throws AlbertkitError `usage` if it cannot be read, `malformed` naming the field */
export function readRecipe(files: FilePort, file: string): Recipe {
  let fields: unknown
  try {
    fields = parseJson(readText(files, file))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw unreadable('the recipe', file, error)
    throw malformed(`the recipe is not JSON: ${error.message}`, { code: 'config-invalid', file })
  }
  const parsed = RECIPE.safeParse(fields)
  if (!parsed.success) {
    const field = (parsed.error.issues[0]?.path ?? []).join('.')
    throw malformed(`the recipe has no usable ${field === '' ? 'fields' : field}`, {
      code: 'config-invalid',
      file,
      field,
      hint: 'a recipe is a JSON object with init_learning_rate, train_steps, warmup_steps, optimizer …',
    })
  }
  const recipe = parsed.data
  const own = recipe.optimizer_hyper_parameters ?? {}
  const only =
    (list: readonly string[] | null | undefined) =>
    (name: string): boolean | undefined =>
      list?.includes(name)
  const [decays, adapts, looks] = [
    recipe.weight_decay_applies_to,
    recipe.trust_ratio_applies_to,
    recipe.lookup_gradients,
  ].map(only) as [ReturnType<typeof only>, ReturnType<typeof only>, ReturnType<typeof only>]
  const [m, v] = recipe.slots ?? []
  return {
    settings: {
      optimizer: recipe.optimizer ?? DEFAULT_SETTINGS.optimizer,
      beta1: own.beta_1 ?? DEFAULT_SETTINGS.beta1,
      beta2: own.beta_2 ?? DEFAULT_SETTINGS.beta2,
      epsilon: own.epsilon ?? DEFAULT_SETTINGS.epsilon,
      weightDecay: own.weight_decay_rate ?? DEFAULT_SETTINGS.weightDecay,
      clipNorm: own.clip_norm === null ? Infinity : (own.clip_norm ?? DEFAULT_SETTINGS.clipNorm),
    },
    schedule: {
      learningRate: recipe.init_learning_rate,
      trainSteps: recipe.train_steps,
      warmupSteps: recipe.warmup_steps ?? 0,
    },
    classes: recipe.num_labels,
    rules: (family) => {
      const usual = familyRules(family, own.exclude_from_weight_decay ?? NO_DECAY)
      return {
        decays: (parameter) => decays(parameter.variable) ?? usual.decays(parameter),
        adapts: (parameter) => adapts(parameter.variable) ?? usual.adapts(parameter),
        isLookup: (parameter) => looks(parameter.variable) ?? usual.isLookup(parameter),
      }
    },
    slots: m === undefined || v === undefined ? undefined : [m, v],
  }
}
