import { openSource } from '../../formats/open.js'
import type { AlbertModel } from '../../model/albert.js'
import type { HeadSelection } from '../../model/forward.js'
import { runReference, type ModelInputs } from '../../model/reference-run.js'
import { GOLDEN_BOUND, type Bound, type Values } from '../../verify/compare.js'
import { counterpart, readGolden, type Golden } from '../../verify/golden.js'
import { defaultInputs } from '../../verify/inputs.js'
import type { OpenedModel } from '../open.js'
import type { VerifyOptions } from './report.js'

/** One output of a run beside what it should be; `actual` is null where the run lacks it. */
export interface Pair {
  readonly name: string
  readonly actual: Values | null
  readonly expected: Values
}

/** Inputs, and what each output should be. */
export interface Trial {
  readonly inputs: ModelInputs
  /** Null: the runner's own, against the reference (`verify/tolerance.ts`). */
  readonly bound: Bound | null
  /** The outputs of a run, by name, beside what they should be. */
  readonly pairs: (run: ReadonlyMap<string, Values>) => Pair[]
}

/** A trial whose arbiter is the float64 reference; outputs the run lacks are not its business. */
function referenceTrial(opened: OpenedModel, inputs: ModelInputs, heads: HeadSelection): Trial {
  const expected = runReference(opened.model, opened.source, inputs, heads)
  return {
    inputs,
    bound: null,
    pairs: (run) =>
      [...run].flatMap(([name, actual]) => {
        const values = expected.get(name)
        return values === undefined ? [] : [{ name, actual, expected: values }]
      }),
  }
}

const goldenTrial = (golden: Golden, model: AlbertModel): Trial => ({
  inputs: golden.inputs,
  bound: GOLDEN_BOUND,
  pairs: (run) =>
    [...golden.outputs].map(([name, expected]) => ({ name, actual: counterpart(golden, name, model, run), expected })),
})

/** What the runners are tried on: the golden of `options`, or inputs of our own. */
export async function makeTrials(opened: OpenedModel, heads: HeadSelection, options: VerifyOptions): Promise<Trial[]> {
  if (options.golden !== undefined) {
    const source = await openSource(options.golden)
    try {
      return [goldenTrial(readGolden(source, opened.model), opened.model)]
    } finally {
      source.close()
    }
  }
  options.onProgress?.('running the float64 reference')
  return defaultInputs(opened.model, heads).map((inputs) => referenceTrial(opened, inputs, heads))
}
