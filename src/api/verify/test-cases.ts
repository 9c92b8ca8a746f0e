import { usage } from '../../base/errors.js'
import { openSource } from '../open/source.js'
import type { AlbertModel } from '../../model/albert.js'
import type { HeadSelection } from '../../model/tasks.js'
import { hiddenStateCount, outputNames } from '../../model/outputs.js'
import { runReference, type ModelInputs } from '../../model/reference/run.js'
import { goldenBound, type Bound, type Values } from '../../compare/compare.js'
import { checkInputs, counterpart, readGolden, type Golden } from '../../compare/golden.js'
import { defaultInputs } from '../../compare/sample-inputs.js'
import { openModel, type OpenedModel } from '../open/open.js'
import type { VerifyOptions } from './report.js'
import { measureFloat32Errors, type Float32Errors } from './float32-error.js'
import { textInputs } from './text-inputs.js'

/** One output of a run beside what it should be; `actual` is null where the run lacks it. */
export interface Pair {
  readonly name: string
  readonly actual: Values | null
  readonly expected: Values
  /** Its own bound, where that of the test case does not suit it. */
  readonly bound?: Bound
}

/** Inputs, and what each output should be. */
export interface TestCase {
  readonly inputs: ModelInputs
  /** Null: the runner's own, against the reference (`verify/tolerance.ts`). */
  readonly bound: Bound | null
  /** What the arbiter computed, by its own names. */
  readonly expected: ReadonlyMap<string, Values>
  /** Rows that are masked everywhere are not compared. */
  readonly skipMasked?: boolean
  /** How far each output strays when the arbiter computes in float32 itself; asked where a bound is missed. */
  readonly float32Errors?: Float32Errors
  /** The outputs of a run, by name, beside what they should be. */
  readonly pairs: (run: ReadonlyMap<string, Values>) => Pair[]
}

export interface TestCases {
  readonly testCases: readonly TestCase[]
  /** What was left out. */
  readonly notes: readonly string[]
}

/** A test case whose arbiter is a float64 reference; outputs the run lacks are not its business. */
function referenceCase(arbiter: OpenedModel, inputs: ModelInputs, heads: HeadSelection, skip?: RegExp): TestCase {
  const expected = runReference(arbiter.model, arbiter.source, inputs, heads)
  return {
    inputs,
    bound: null,
    expected,
    pairs: (run) =>
      [...run].flatMap(([name, actual]) => {
        const values = skip?.test(name) === true ? undefined : expected.get(name)
        return values === undefined ? [] : [{ name, actual, expected: values }]
      }),
  }
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

/** A model with no more ids and positions than another one has: inputs drawn for it suit both. */
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
  text?: string,
): Promise<DrawnInputs> {
  const drawn = text === undefined ? defaultInputs(model, heads) : await textInputs(opened, heads, text)
  // The drawn ones fit by construction; those of a text may come from a vocabulary that is not the model's.
  for (const inputs of drawn.inputs) checkInputs(model, inputs, text ?? 'drawn inputs')
  return drawn
}

/** Inputs that suit both models, and what the other one computes for them. */
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
    const { inputs, notes } = await draw(opened, common(opened.model, other.model), heads, options.text)
    // Families count their hidden states in two ways: where the numbers differ, the same name is another layer.
    const skip = hiddenStateCount(opened.model) === hiddenStateCount(other.model) ? undefined : /^hidden_state_/
    // Where every position is masked, TensorFlow's −10000 and transformers' least float32 are not the same function.
    const skipMasked = opened.config.mask_penalty !== other.config.mask_penalty
    const [own, theirs] = [opened, other].map(({ model }) => outputNames(model, heads)) as [string[], string[]]
    const single = [...own.filter((name) => !theirs.includes(name)), ...theirs.filter((name) => !own.includes(name))]
    const left = single.length === 0 ? [] : [`not compared, for only one of the models has it: ${single.join(', ')}`]
    return {
      testCases: inputs.map((x) => ({ ...referenceCase(other, x, heads, skip), skipMasked })),
      notes: [...notes, ...left],
    }
  } finally {
    other.close()
  }
}

/** What the runners are tried on: the golden of `options`, its text, or inputs of our own; and what should come out. */
export async function makeTestCases(
  opened: OpenedModel,
  heads: HeadSelection,
  options: VerifyOptions,
): Promise<TestCases> {
  const { golden, text, referenceModel: against } = options
  if (golden !== undefined) {
    if (text !== undefined || against !== undefined)
      throw usage('`golden` gives inputs and outputs: it cannot be combined with `text` or `referenceModel`', {
        code: 'option-conflict',
      })
    return { testCases: await goldenCases(opened.model, golden), notes: [] }
  }
  options.onProgress?.('running the float64 reference')
  if (against !== undefined) return againstCases(opened, against, heads, options)
  const { inputs, notes } = await draw(opened, opened.model, heads, text)
  const own = (x: ModelInputs): TestCase => {
    const testCase = referenceCase(opened, x, heads)
    return { ...testCase, float32Errors: measureFloat32Errors(opened, testCase, heads) }
  }
  return { testCases: inputs.map(own), notes }
}
