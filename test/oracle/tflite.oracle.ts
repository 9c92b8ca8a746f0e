import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openModel, type OpenedModel } from '../../src/api/open/open.js'
import { boundOf, FLOAT32_ERRORS } from '../../src/compare/tolerance.js'
import { drawInputs } from '../../src/compare/sample-inputs.js'
import { exportModel } from '../../src/export/export.js'
import type { ExportOptions } from '../../src/export/options.js'
import { disk } from '../../src/files/disk.js'
import { openTfliteWeights } from '../../src/formats/tflite/source.js'
import { artefactForm } from '../../src/model/names/artefact-names.js'
import { canDo } from '../../src/model/outputs.js'
import { inputShape, runAll, runReference, type ModelInputs } from '../../src/model/reference/run.js'
import { headsFor, taskRow, type HeadName, type ResolvedTask } from '../../src/model/tasks.js'
import { rebind } from '../../src/model/tensors/rebind.js'
import { KINDS, SMALL, writeRandomModel } from '../helpers/random-model.js'
import { ask, TENSORFLOW } from './python.js'

/** TensorFlow Lite files of every family, head and form in TensorFlow's own interpreter and in LiteRT's. */

const folder = mkdtempSync(join(tmpdir(), 'albertkit-tflite-oracle-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

type Ran =
  | { readonly error: string }
  | { readonly delegates: number; readonly outputs: Readonly<Record<string, readonly number[]>> }

/** Models of a family: their heads, and the tasks that they are exported for. */
const HEADS: readonly (readonly [heads: readonly HeadName[], tasks: readonly ResolvedTask[]])[] = [
  [
    ['mlm', 'sop'],
    ['features', 'pretraining', 'mlm', 'sop'],
  ],
  [['classifier'], ['classify']],
  [['token-classifier'], ['token-classification']],
  [['qa'], ['qa']],
  [['multiple-choice'], ['multiple-choice']],
]
const PRECISIONS = ['f32', 'f16', 'int8', 'int4'] as const
/** Forms of a file, and the rows and tokens that it is run with. */
const FORMS = [
  { sequence: 8, rows: 1, inline: false },
  { sequence: 8, rows: 4, inline: true },
  { sequence: 'dynamic', rows: 1, inline: true },
  { sequence: 'dynamic', rows: 4, inline: false },
] as const
const DYNAMIC_LENGTH = 7
/** Deviation of the random weights: with larger ones scores are so far apart that float32 alone decides. */
const DEVIATION = 0.2

interface Job {
  readonly name: string
  readonly file: string
  readonly fixed: boolean
  readonly inputs: Readonly<Record<string, readonly [shape: readonly number[], values: readonly number[]]>>
  /** Values of the reference with the weights of the file, and the largest difference of each from them. */
  readonly expected: ReadonlyMap<string, { readonly values: ArrayLike<number>; readonly bound: number }>
}

/** Drawn inputs without a row that is masked everywhere, of which programs may make what they like. */
function inputsOf({ model }: OpenedModel, rows: number, tokens: number, choices: boolean): ModelInputs {
  const drawn = drawInputs(model, rows, tokens, 1)
  const attention_mask = drawn.attention_mask.map((m, i) => (i >= 3 * tokens ? 1 : m))
  return { ...drawn, attention_mask, ...(choices && { choices: rows }) }
}

/** What a file should give: the reference with its weights, and activations that are rounded as it says. */
function expectedOf({ model }: OpenedModel, file: string, inputs: ModelInputs, task: ResolvedTask): Job['expected'] {
  const weights = openTfliteWeights(disk, file)
  try {
    const axes = JSON.parse(weights.metadata!.get('dynamic') ?? '{}') as Record<string, 0 | 1>
    const dynamic = { axes: new Map(Object.entries(axes)), by: 'row' } as const
    const own = rebind(model, weights, artefactForm(weights, 'named'))
    const heads = headsFor(task)
    const values = runReference(own, weights, inputs, heads, dynamic)
    const exact = dynamic.axes.size === 0
    const bound = boundOf('cpu', exact ? 'float32' : 'int8')
    const runs = { inputs: [inputs], heads, arithmetic: 'float32' } as const
    const plain = exact ? runAll({ model: own, source: weights }, runs)[0] : undefined
    return new Map(
      [...values].map(([name, { data }]) => {
        const largest = data.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
        const rounded = plain?.get(name)?.data.reduce((most, x, i) => Math.max(most, Math.abs(x - data[i]!)), 0) ?? 0
        return [name, { values: data, bound: Math.max(bound(largest), FLOAT32_ERRORS * rounded) }]
      }),
    )
  } finally {
    weights.close()
  }
}

/** Writes a model for a task in every element type and form. */
async function jobsOf(opened: OpenedModel, task: ResolvedTask, path: string): Promise<Job[]> {
  const jobs: Job[] = []
  const choices = taskRow(task).inputs === 'choices'
  for (const precision of PRECISIONS)
    for (const [i, form] of FORMS.entries()) {
      const options: ExportOptions = { task, allOutputs: false, precision, ...form }
      const out = join(path, `${task}-${i}`)
      const { files } = await exportModel(opened.model, opened.source, 'tflite', out, options)
      const file = join(out, files[0]!.path)
      const fixed = form.sequence !== 'dynamic'
      const inputs = inputsOf(opened, form.rows, fixed ? form.sequence : DYNAMIC_LENGTH, choices)
      const shape = inputShape(inputs, choices)
      const { input_ids, attention_mask, token_type_ids } = inputs
      const given = Object.entries({ input_ids, attention_mask, token_type_ids })
      jobs.push({
        name: `${task} ${precision} ${JSON.stringify(form)}`,
        file,
        fixed,
        inputs: Object.fromEntries(given.map(([name, values]) => [name, [shape, [...values]]])),
        expected: expectedOf(opened, file, inputs, task),
      })
    }
  return jobs
}

async function jobsOfFamily(kind: (typeof KINDS)[number]): Promise<Job[]> {
  const jobs: Job[] = []
  for (const [i, [heads, tasks]] of HEADS.entries()) {
    const path = join(folder, `${kind}-${i}`.replaceAll(/\W/g, '-'))
    await writeRandomModel(path, kind, { ...SMALL, heads }, DEVIATION)
    for (const task of tasks) {
      const opened = await openModel(path, { task })
      try {
        if (canDo(opened.model, task)) jobs.push(...(await jobsOf(opened, task, path)))
      } finally {
        opened.close()
      }
    }
  }
  return jobs
}

/** Outputs of a run that are not what the reference gives. */
function wrongIn(ran: Ran, { expected, fixed }: Job): string[] {
  if ('error' in ran) return [ran.error]
  const parts = fixed && ran.delegates !== 1 ? [`${ran.delegates} parts of XNNPACK`] : []
  const outputs = Object.entries(ran.outputs).flatMap(([output, values]) => {
    const { values: wanted, bound } = expected.get(output)!
    const worst = values.reduce((most, x, i) => Math.max(most, Math.abs(x - (wanted[i] ?? Infinity))), 0)
    return worst <= bound && values.length === wanted.length ? [] : [`${output} is ${worst} off, not ${bound}`]
  })
  return [...parts, ...outputs]
}

describe.skipIf(TENSORFLOW === null).each(KINDS)('%s', { timeout: 300_000 }, (kind) => {
  let jobs: readonly Job[] = []
  let answers: readonly Readonly<Record<string, Ran>>[] = []
  beforeAll(async () => {
    jobs = await jobsOfFamily(kind)
    const request = { jobs: jobs.map(({ file, inputs }) => ({ file, inputs })) }
    answers = ask(TENSORFLOW!, 'run_tflite.py', request) as typeof answers
  }, 300_000)

  it.each(PRECISIONS)('%s, every head and form, gives what the reference gives', (precision) => {
    const seen = new Set<string>()
    const wrong = jobs.flatMap((job, i) => {
      if (!job.name.includes(` ${precision} `)) return []
      return Object.entries(answers[i]!).flatMap(([interpreter, ran]) => {
        seen.add(interpreter)
        return wrongIn(ran, job).map((what) => `${interpreter}: ${job.name}: ${what}`)
      })
    })
    expect(wrong).toEqual([])
    expect(seen).toContain('tensorflow')
    expect(jobs.length).toBeGreaterThanOrEqual(16)
  })
})
