import { usage } from '../../base/errors.js'
import { openSource } from '../open/source.js'
import type { AlbertModel } from '../../model/albert.js'
import type { HeadSelection } from '../../model/tasks.js'
import { hiddenStateCount, outputNames } from '../../model/outputs.js'
import type { ModelInputs, Runs } from '../../model/reference/run.js'
import { goldenBound, type Bound, type Values } from '../../compare/compare.js'
import { checkInputs, counterpart, readGolden, type Golden } from '../../compare/golden.js'
import { defaultInputs } from '../../compare/sample-inputs.js'
import { openModel, type OpenedModel } from '../open/open.js'
import { compute } from '../reference/compute.js'
import { referenceProgress } from './progress.js'
import type { VerifyOptions } from './report.js'
import { measureFloat32Errors, type Float32Errors } from './float32-error.js'
import { textInputs } from './text-inputs.js'

/** Output of a run and its expected values; `actual` is null if the run lacks it. */
export interface Pair {
  readonly name: string
  readonly actual: Values | null
  readonly expected: Values
  /** Bound of this output, if it differs from that of the test case. */
  readonly bound?: Bound
}

/** Inputs and expected outputs. */
export interface TestCase {
  readonly inputs: ModelInputs
  /** Null: the runner's own bound against the reference (`compare/tolerances.ts`). */
  readonly bound: Bound | null
  /** Outputs of the arbiter, by its own names. */
  readonly expected: ReadonlyMap<string, Values>
  /** True if rows masked everywhere are not compared. */
  readonly skipMasked?: boolean
  /** Error of each output if the arbiter computes in float32; used if a bound is exceeded. */
  readonly float32Errors?: Float32Errors
  /** Pairs each output of a run, by name, with its expected values. */
  readonly pairs: (run: ReadonlyMap<string, Values>) => Pair[]
}

export interface TestCases {
  readonly testCases: readonly TestCase[]
  /** Notes for the user on what was left out. */
  readonly notes: readonly string[]
}

/** Makes test cases whose arbiter is a float64 reference; outputs that a run lacks are not compared. */
async function referenceCases(
  arbiter: OpenedModel,
  runs: Runs,
  options: VerifyOptions,
  skip?: RegExp,
): Promise<TestCase[]> {
  const values = await compute({ kind: 'runs', ...runs }, arbiter, referenceProgress(options))
  return values.map((expected, i) => ({
    inputs: runs.inputs[i]!,
    bound: null,
    expected,
    pairs: (run) =>
      [...run].flatMap(([name, actual]) => {
        const wanted = skip?.test(name) === true ? undefined : expected.get(name)
        return wanted === undefined ? [] : [{ name, actual, expected: wanted }]
      }),
  }))
}

const goldenCase = (golden: Golden, model: AlbertModel): TestCase => ({
  inputs: golden.inputs,
  bound: goldenBound(0),
  expected: golden.outputs,
  pairs: (run) =>
    [...golden.outputs].map(([name, expected]) => ({
      name,
      actual: counterpart(golden, name, model, run),
      expected,
      bound: goldenBound(golden.rounding.get(name) ?? 0),
    })),
})

async function goldenCases(model: AlbertModel, file: string): Promise<TestCase[]> {
  const source = await openSource(file)
  try {
    return [goldenCase(readGolden(source, model), model)]
  } finally {
    source.close()
  }
}

/** `a` with its limits on ids and positions reduced to those of `b`: inputs drawn for it fit both. */
function common(a: AlbertModel, b: AlbertModel): AlbertModel {
  const least = (field: 'vocab_size' | 'type_vocab_size' | 'max_position_embeddings') => ({
    [field]: Math.min(a.config[field], b.config[field]),
  })
  const limits = { ...least('vocab_size'), ...least('type_vocab_size'), ...least('max_position_embeddings') }
  return { ...a, config: { ...a.config, ...limits } }
}

interface DrawnInputs {
  readonly inputs: readonly ModelInputs[]
  readonly notes: readonly string[]
}

async function draw(
  opened: OpenedModel,
  model: AlbertModel,
  heads: HeadSelection,
  { text, lengths = [] }: VerifyOptions & { readonly lengths?: readonly number[] },
): Promise<DrawnInputs> {
  const drawn = text === undefined ? defaultInputs(model, heads, lengths) : await textInputs(opened, heads, text)
  // Drawn inputs fit by construction; those of a text may come from another model's vocabulary.
  for (const inputs of drawn.inputs) checkInputs(model, inputs, text ?? 'drawn inputs')
  return drawn
}

/** Makes test cases with inputs that fit both models and the outputs of the other one. */
async function againstCases(
  opened: OpenedModel,
  against: string,
  heads: HeadSelection,
  options: VerifyOptions,
): Promise<TestCases> {
  const { checksum, task } = options
  const other = await openModel(against, {
    ...(checksum === undefined ? {} : { checksum }),
    ...(task === undefined ? {} : { task }),
  })
  try {
    const { inputs, notes } = await draw(opened, common(opened.model, other.model), heads, options)
    // Families number their hidden states in two ways: if the counts differ, equal names are different layers.
    const skip = hiddenStateCount(opened.model) === hiddenStateCount(other.model) ? undefined : /^hidden_state_/
    // On rows masked everywhere, TensorFlow's −10000 and transformers' lowest float32 give different results.
    const skipMasked = opened.config.mask_penalty !== other.config.mask_penalty
    const [own, theirs] = [opened, other].map(({ model }) => outputNames(model, heads)) as [string[], string[]]
    const single = [...own.filter((name) => !theirs.includes(name)), ...theirs.filter((name) => !own.includes(name))]
    const left = single.length === 0 ? [] : [`not compared, for only one of the models has it: ${single.join(', ')}`]
    const cases = await referenceCases(other, { inputs, heads }, options, skip)
    return {
      testCases: cases.map((testCase) => ({ ...testCase, skipMasked })),
      notes: [...notes, ...left],
    }
  } finally {
    other.close()
  }
}

/**
 * Makes the test cases of a verification: from a golden, from a text, or from drawn inputs.
 * @param options with the lengths of files that take one alone
 */
export async function makeTestCases(
  opened: OpenedModel,
  heads: HeadSelection,
  options: VerifyOptions & { readonly lengths?: readonly number[] },
): Promise<TestCases> {
  const { golden, text, referenceModel: against } = options
  if (golden !== undefined) {
    if (text !== undefined || against !== undefined)
      throw usage('`golden` gives inputs and outputs: it cannot be combined with `text` or `referenceModel`', {
        code: 'option-conflict',
      })
    return { testCases: await goldenCases(opened.model, golden), notes: [] }
  }
  if (against !== undefined) return againstCases(opened, against, heads, options)
  const { inputs, notes } = await draw(opened, opened.model, heads, options)
  const cases = await referenceCases(opened, { inputs, heads }, options)
  const testCases = cases.map((testCase) => ({
    ...testCase,
    float32Errors: measureFloat32Errors(opened, testCase, heads, options),
  }))
  return { testCases, notes }
}
