import type { RankEstimate } from '../../model/health/rank.js'
import type { Verdict, WeightsReport } from './report.js'

const some = (names: readonly string[], limit = 4): string =>
  names.slice(0, limit).join(', ') + (names.length > limit ? ` and ${names.length - limit} more` : '')
const plural = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`

const bad = (text: string): Verdict => ({ level: 'bad', text })
const warning = (text: string): Verdict => ({ level: 'warning', text })
const good = (text: string): Verdict => ({ level: 'good', text })

/** Number of singular directions that hold the fraction `part` of a matrix's energy (squared Frobenius norm). */
function usedWidth({ singular }: RankEstimate, part = 0.9): number {
  const total = singular.reduce((sum, x) => sum + x * x, 0)
  let [energy, count] = [0, 0]
  for (const x of singular) {
    if (energy >= part * total) break
    energy += x * x
    count++
  }
  return count
}

type Facts = Omit<WeightsReport, 'ok' | 'verdicts'>

function aboutValues({ tensors }: Facts): Verdict[] {
  const broken = tensors.filter((t) => t.nan + t.inf > 0)
  if (broken.length === 0) return [good('every value is a finite number')]
  return broken.map(({ variable, nan, inf, count }) => {
    const what = [nan > 0 ? `${nan} NaN` : '', inf > 0 ? `${inf} infinite` : ''].filter((x) => x !== '').join(' and ')
    const advice = 'Use an earlier checkpoint, and train with a smaller learning rate or without float16'
    return bad(`${variable} has ${what} of ${plural(count, 'value')}: outputs that depend on them are NaN. ${advice}`)
  })
}

function aboutZeros({ tensors }: Facts): Verdict[] {
  const matrices = tensors.filter((t) => t.shape.length > 1)
  const zero = matrices.filter((t) => t.state === 'zero').map((t) => t.variable)
  const constant = matrices.filter((t) => t.state === 'constant').map((t) => `${t.variable} (${String(t.min)})`)
  return [
    ...(zero.length === 0 ? [] : [warning(`all zeros: ${some(zero)}`)]),
    ...(constant.length === 0 ? [] : [warning(`one value throughout: ${some(constant)}`)]),
  ]
}

function aboutHeads({ heads, body, initializerRange }: Facts): Verdict[] {
  if (body === 'untrained') {
    const initial = `standard deviation ${initializerRange}, biases 0, LayerNorms 1 and 0`
    return [warning(`the model is untrained: all of its layers have initial values (${initial})`)]
  }
  return heads.flatMap(({ head, state }) => {
    if (state === 'untrained')
      return [
        warning(
          `the ${head} is untrained: it has initial values, and its outputs are random. ` +
            'Fine-tune it, or load the checkpoint that has it',
        ),
      ]
    return state === 'constant' ? [warning(`the ${head} is constant: its output is the same for every text`)] : []
  })
}

function aboutClasses({ classes }: Facts): Verdict[] {
  type Class = (typeof classes)[number]
  const name = ({ index, label }: Class): string => (label === null ? `class ${index}` : `class ${index} (${label})`)
  return classes.flatMap((c) => {
    const winner = classes.find((other) => other.index === c.beatenBy)
    if (winner === undefined) return []
    return [
      warning(`${name(c)} cannot win: for every text, ${name(winner)} has a higher logit, or the same and comes first`),
    ]
  })
}

function aboutRanks({ ranks }: Facts): Verdict[] {
  if (ranks === null) return []
  const { word, product } = ranks
  const unused = word.possible - word.numerical
  const carry = unused === 1 ? 'carries' : 'carry'
  const energy = `effective rank ${word.effective.toFixed(1)}; ${usedWidth(word)} directions hold 90 % of its energy`
  const verdict =
    unused > 0
      ? warning(
          `word_embeddings has rank ${word.numerical} of ${word.possible}: ` +
            `${plural(unused, 'dimension')} of it ${carry} nothing`,
        )
      : good(`word_embeddings uses all of its ${word.possible} dimensions (${energy})`)
  if (product === null || product.numerical >= word.numerical) return [verdict]
  const lost = word.numerical - product.numerical
  return [
    verdict,
    warning(
      `the projection loses ${plural(lost, 'dimension')} of the word embeddings: ` +
        `the product has rank ${product.numerical}`,
    ),
  ]
}

const aboutLayers = ({ duplicates }: Facts): Verdict[] =>
  duplicates.map(({ part, layers: [a, b], distance }) =>
    warning(
      distance === 0
        ? `the ${part} of layers ${a} and ${b} has the same values: sharing it would change nothing`
        : `the ${part} of layers ${a} and ${b} is almost the same (${(100 * distance).toFixed(1)} % apart), ` +
            'although they are not shared',
    ),
  )

function aboutAgainst({ against, missing }: Facts): Verdict[] {
  const lacking =
    missing.length === 0
      ? []
      : [
          bad(
            `the checkpoint lacks ${plural(missing.length, 'variable')} that its own configuration asks for: ` +
              some(missing.map((m) => m.variable)),
          ),
        ]
  if (against === null) return lacking
  const { notProvided, variables, config, unknown } = against
  if (notProvided.length === 0)
    return [...lacking, good(`the checkpoint provides all ${variables} variables of the model of ${config}`)]
  const body = notProvided.filter((n) => /^(embeddings|encoder)\//.test(n.slot))
  const reshaped = notProvided.flatMap(({ variable, shape, found }) =>
    found === null ? [] : [`${variable} [${found.join(', ')}] instead of [${shape.join(', ')}]`],
  )
  return [
    ...lacking,
    warning(
      `the checkpoint does not provide ${notProvided.length} of ${variables} variables of the model of ${config}, ` +
        `which start from random values: ${some(notProvided.map((n) => n.variable))}`,
    ),
    body.length > 0
      ? bad(
          `${body.length} of them belong to the body: a model fine-tuned from this checkpoint stays at chance ` +
            '(accuracy 1/number of classes), or far below what it could be',
        )
      : good('none of them belongs to the body: fine-tuning learns pooler and heads'),
    ...(reshaped.length > 0 ? [warning(`different shape in the checkpoint: ${some(reshaped)}`)] : []),
    ...(unknown.length > 0 && body.length > 0
      ? [warning(`the checkpoint has ${plural(unknown.length, 'variable')} with unknown names: ${some(unknown)}`)]
      : []),
  ]
}

function aboutBefore({ before }: Facts): Verdict[] {
  if (before === null) return []
  const { unchanged, compared, checkpoint, added } = before
  const fresh = added.length === 0 ? [] : [good(`new, or of another shape before: ${some(added)}`)]
  if (compared === 0) return [warning(`nothing in ${checkpoint} has the name and shape of a variable of this model`)]
  if (unchanged.length === compared)
    return [bad(`nothing was trained: all ${compared} variables are what they were in ${checkpoint}`), ...fresh]
  if (unchanged.length === 0) return [good(`all ${compared} variables changed since ${checkpoint}`), ...fresh]
  const names = some(unchanged.map((u) => u.variable))
  return [
    warning(`${unchanged.length} of ${compared} variables stayed what they were in ${checkpoint}: ${names}`),
    ...fresh,
  ]
}

const ORDER = { bad: 0, warning: 1, good: 2 } as const

/** Interpretation of the statistics, worst first. */
export const verdictsOf = (facts: Facts): Verdict[] =>
  [aboutValues, aboutAgainst, aboutBefore, aboutHeads, aboutClasses, aboutZeros, aboutLayers, aboutRanks]
    .flatMap((about) => about(facts))
    .sort((a, b) => ORDER[a.level] - ORDER[b.level])
