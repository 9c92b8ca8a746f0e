/** Diagnoses of a training run: of its data before it starts, and of its course. */

export const DIAGNOSES = {
  'vocabulary-wrong': 'many tokens are not in the vocabulary',
  'texts-truncated': 'many texts are longer than the limit',
  'labels-imbalanced': 'one label dominates',
  'labels-missing': 'a label has no example to learn from',
  'dev-in-train': 'texts of the evaluation occur in the training file',
  'rate-unusual': 'the learning rate is outside what works',
  'encoder-untrained': 'the encoder has the values that training starts from',
  'pooler-new': 'the checkpoint has no pooler',
  'head-unread': 'the checkpoint has a head under names that are not known',
  'loss-not-finite': 'the loss is not a number',
  'not-learning': 'the loss stays at that of guessing',
  'gradient-zero': 'no gradient reaches the weights',
  'gradient-exploding': 'gradients are very large',
  'one-prediction': 'every prediction is the same class',
  'not-generalising': 'training examples are learnt, others are not',
} as const satisfies Readonly<Record<string, string>>
export type DiagnosisCode = keyof typeof DIAGNOSES

export interface Diagnosis {
  readonly code: DiagnosisCode
  /** Finding, with numbers. */
  readonly message: string
  /** Remedy to try. */
  readonly hint: string
  /** Step after which it was found; 0 before training. */
  readonly step: number
}

/** Facts about the data and the settings of a run. */
export interface RunFacts {
  readonly tokens: number
  readonly unknown: number
  readonly examples: number
  readonly cut: number
  readonly maxLength: number
  /** Number of training examples of each label. */
  readonly counts: Readonly<Record<string, number>>
  /** Labels of the evaluation file. */
  readonly devLabels: readonly string[]
  readonly devExamples: number
  /** Evaluation texts that are in the training file too. */
  readonly leaked: number
  readonly learningRate: number
  readonly optimizer: 'adamw' | 'lamb'
  readonly hiddenSize: number
  /** True if all LayerNorms of the encoder have the values that training starts from. */
  readonly isUntrained: boolean
  readonly hasNewPooler: boolean
  /** Heads of the checkpoint whose names are not known, if the head that is trained is new. */
  readonly unreadHeads: readonly string[]
}

const percent = (part: number, whole: number): string => `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`

/** Share of unknown tokens from which the vocabulary is taken for another model's. */
const UNKNOWN_SHARE = 0.1
/** Share of truncated texts that is worth a word. */
const CUT_SHARE = 0.2
/** Ratio of the most to the least frequent label. */
const IMBALANCE = 20
/**
 * Largest useful rate times hidden size, for AdamW: 2.6e-4 at BERT base's 768, with 5e-5 the largest of BERT's own
 * list; 1.6e-3 at a hidden size of 128.
 */
const RATE_WIDTH = 0.2
const RATES = { adamw: [1e-6, RATE_WIDTH], lamb: [1e-5, 8] } as const

function rateDiagnosis({ learningRate, optimizer, hiddenSize }: RunFacts): Omit<Diagnosis, 'step'>[] {
  const [low, width] = RATES[optimizer]
  const high = width / hiddenSize
  if (learningRate >= low && learningRate <= high) return []
  return [
    {
      code: 'rate-unusual',
      message: `the learning rate ${learningRate} is ${learningRate < low ? 'low' : 'high'} for ${optimizer}`,
      hint: `at hidden size ${hiddenSize} rates from ${low.toExponential(0)} to ${high.toExponential(1)} work`,
    },
  ]
}

function labelDiagnoses({ counts, devLabels }: RunFacts): Omit<Diagnosis, 'step'>[] {
  const found: Omit<Diagnosis, 'step'>[] = []
  const missing = [...new Set([...Object.keys(counts), ...devLabels])].filter((label) => (counts[label] ?? 0) === 0)
  if (missing.length > 0)
    found.push({
      code: 'labels-missing',
      message: `no training example has the label ${missing.slice(0, 5).join(', ')}`,
      hint: 'add examples, or check that both files spell labels alike',
    })
  const present = Object.entries(counts).filter(([, count]) => count > 0)
  const sorted = present.sort(([, a], [, b]) => b - a)
  const [most, least] = [sorted[0], sorted.at(-1)]
  if (most !== undefined && least !== undefined && most[1] > IMBALANCE * least[1])
    found.push({
      code: 'labels-imbalanced',
      message: `${most[1]} training examples have the label ${most[0]}, ${least[1]} the label ${least[0]}`,
      hint: 'add examples of rare labels, or repeat them; judge by F1 of each class, not by accuracy',
    })
  return found
}

/** Diagnoses before the first step. */
export function diagnoseStart(facts: RunFacts): Diagnosis[] {
  const found: Omit<Diagnosis, 'step'>[] = []
  if (facts.unknown > UNKNOWN_SHARE * facts.tokens)
    found.push({
      code: 'vocabulary-wrong',
      message: `${percent(facts.unknown, facts.tokens)} of the tokens are [UNK]`,
      hint: 'is the vocabulary that of this model, and the text in its language? `vocabulary` names another',
    })
  if (facts.cut > CUT_SHARE * facts.examples)
    found.push({
      code: 'texts-truncated',
      message: `${percent(facts.cut, facts.examples)} of the texts are truncated to ${facts.maxLength} tokens`,
      hint: 'a larger `maxSeqLength` reads them whole, at more time and memory',
    })
  found.push(...labelDiagnoses(facts))
  if (facts.leaked > 0)
    found.push({
      code: 'dev-in-train',
      message: `${facts.leaked} of ${facts.devExamples} evaluation texts are in the training file too`,
      hint: 'remove them from one of the files: the evaluation would flatter the model',
    })
  found.push(...rateDiagnosis(facts))
  if (facts.isUntrained)
    found.push({
      code: 'encoder-untrained',
      message: 'every LayerNorm of the encoder has gamma 1 and beta 0, as before any training',
      hint: 'start from a pretrained checkpoint: a few thousand examples do not train an encoder from random weights',
    })
  if (facts.hasNewPooler)
    found.push({
      code: 'pooler-new',
      message: 'the checkpoint has no pooler: it starts from random values, as the head does',
      hint: 'use a checkpoint with a pooler if there is one; otherwise train a little longer',
    })
  if (facts.unreadHeads.length > 0)
    found.push({
      code: 'head-unread',
      message:
        'the head starts from random values, although the checkpoint has ' +
        `${facts.unreadHeads.slice(0, 3).join(', ')}, whose names are not those of a head`,
      hint: 'if that is the head to train further, name it with `head`',
    })
  return found.map((one) => ({ ...one, step: 0 }))
}

/** The course of a run so far. */
export interface RunCourse {
  readonly step: number
  readonly totalSteps: number
  readonly losses: readonly number[]
  readonly norms: readonly number[]
  /** Loss of answers that only know how frequent each label is (nats); null if the task has none. */
  readonly guessing: number | null
}

/** Norm from which gradients count as exploding, and the part of the first ones' median. */
const EXPLODING = 1000
/** Steps whose mean loss is judged. */
const WINDOW = 25
/** Loss of a run that learns nothing, as a share of that of guessing. */
const STUCK = 0.93

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length

/** Diagnoses of a step. Those of the loss wait for half of the run, or for its end. */
export function diagnoseCourse({ step, totalSteps, losses, norms, guessing }: RunCourse): Diagnosis[] {
  const found: Omit<Diagnosis, 'step'>[] = []
  const norm = norms.at(-1) ?? 1
  if (norm === 0)
    found.push({
      code: 'gradient-zero',
      message: 'the gradients are zero',
      hint: 'nothing is trained: is every part of the model frozen, or does no label count?',
    })
  if (norm > EXPLODING)
    found.push({
      code: 'gradient-exploding',
      message: `the norm of the gradients is ${norm.toExponential(1)}`,
      hint: 'lower `learningRate` by a factor of ten, or warm up for longer',
    })
  const isDue = step === totalSteps || step === Math.ceil(totalSteps / 2)
  const recent = losses.slice(-WINDOW)
  if (guessing !== null && isDue && recent.length >= WINDOW && mean(recent) > STUCK * guessing)
    found.push({
      code: 'not-learning',
      message: `the loss is ${mean(recent).toFixed(3)}, that of guessing by frequency ${guessing.toFixed(3)}`,
      hint:
        'if the learning rate is small for this model, raise it; if it is large, lower it; ' +
        'then check that labels belong to their texts',
    })
  return found.map((one) => ({ ...one, step }))
}

/** Diagnosis of a loss that is not finite. @param where path of the first operation whose result is not */
export const diagnoseNotFinite = (step: number, where: string | null): Diagnosis => ({
  code: 'loss-not-finite',
  message:
    `the loss of step ${step} is not finite` +
    (where === null ? '' : `; the first operation with such a result is ${where}`),
  hint: 'lower `learningRate` by a factor of ten; if the first step fails already, check the weights with `inspect`',
  step,
})

/** The last evaluation of a run. */
export interface Outcome {
  readonly step: number
  /** Share of the most frequent prediction, and of the most frequent label. */
  readonly topPrediction: { readonly label: string; readonly share: number }
  readonly topLabelShare: number
  readonly trainAccuracy: number
  readonly devAccuracy: number
  readonly devExamples: number
}

/** Diagnoses of the last evaluation. */
export function diagnoseOutcome(outcome: Outcome): Diagnosis[] {
  const { step, topPrediction, topLabelShare, trainAccuracy, devAccuracy, devExamples } = outcome
  const found: Omit<Diagnosis, 'step'>[] = []
  if (topPrediction.share === 1 && topLabelShare < 1)
    found.push({
      code: 'one-prediction',
      message: `every evaluation text is predicted as ${topPrediction.label}`,
      hint: 'the learning rate is too large or too small, the run too short, or one label dominates in training',
    })
  // Three standard deviations above the most frequent label are more than luck.
  const spread = Math.sqrt((topLabelShare * (1 - topLabelShare)) / Math.max(1, devExamples))
  if (trainAccuracy > 0.8 && devAccuracy < topLabelShare + 3 * spread && devExamples >= 20)
    found.push({
      code: 'not-generalising',
      message:
        `accuracy is ${(100 * trainAccuracy).toFixed(1)} % in training and ` +
        `${(100 * devAccuracy).toFixed(1)} % in the evaluation`,
      hint: 'labels do not belong to their texts (shuffled?), or the two files are of different kinds',
    })
  return found.map((one) => ({ ...one, step }))
}
