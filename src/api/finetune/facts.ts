import { parametersOf } from '../../model/tensors/read.js'
import type { RunFacts } from '../../training/diagnosis.js'
import type { ExampleSet } from './examples.js'
import type { PreparedModel } from './prepared-model.js'
import type { OptimizerName } from '../../training/optimizer.js'

/** Number of examples with each label. */
export function countLabels({ examples }: ExampleSet, names: readonly string[]): Record<string, number> {
  const counts = Object.fromEntries(names.map((name) => [name, 0]))
  for (const { labels } of examples)
    for (const label of labels) if (label !== null) counts[label] = (counts[label] ?? 0) + 1
  return counts
}

/** Loss of answers that only know how frequent each label is: the entropy of the labels, in nats. */
export function guessingLoss(counts: Readonly<Record<string, number>>): number {
  const total = Object.values(counts).reduce((a, b) => a + b, 0)
  return Object.values(counts).reduce((sum, n) => (n === 0 ? sum : sum - (n / total) * Math.log(n / total)), 0)
}

/** True if every LayerNorm of the embeddings and layers has gamma 1 and beta 0. */
function isUntrained({ model, values }: PreparedModel): boolean {
  const norms = [...parametersOf([model.embeddings, model.layers])].filter(({ slot }) => /\/(gamma|beta)$/.test(slot))
  return norms.every((parameter) => {
    const initial = parameter.slot.endsWith('/gamma') ? 1 : 0
    return values.get(parameter)!.every((value) => value === initial)
  })
}

/** Facts about a run before its first step. */
export function factsOf(
  train: ExampleSet,
  dev: ExampleSet | null,
  prepared: PreparedModel,
  settings: {
    readonly labels: readonly string[]
    readonly learningRate: number
    readonly optimizer: OptimizerName
    readonly maxLength: number
    readonly hasClasses: boolean
    readonly unreadHeads: readonly string[]
  },
): RunFacts {
  const texts = new Set(train.examples.map(({ text }) => text))
  const { labels, hasClasses, unreadHeads, learningRate, optimizer, maxLength } = settings
  const devLabels = dev?.examples.flatMap((one) => one.labels).filter((label) => label !== null) ?? []
  return {
    tokens: train.tokens,
    unknown: train.unknown,
    examples: train.examples.length,
    cut: train.cut,
    maxLength,
    counts: hasClasses ? countLabels(train, labels) : {},
    devLabels: hasClasses ? [...new Set(devLabels)] : [],
    devExamples: dev?.examples.length ?? 0,
    leaked: dev?.examples.filter(({ text }) => texts.has(text)).length ?? 0,
    learningRate,
    optimizer,
    hiddenSize: prepared.model.config.hidden_size,
    isUntrained: isUntrained(prepared),
    unreadHeads: prepared.created.some(({ slot }) => /^(classifier|qa)\//.test(slot)) ? unreadHeads : [],
    hasNewPooler: prepared.created.some(({ slot }) => slot.startsWith('pooler/')),
  }
}
