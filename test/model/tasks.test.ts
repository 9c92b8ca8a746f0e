import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openModel } from '../../src/api/open/open.js'
import { headsOf, outputNames, resolveTask } from '../../src/model/outputs.js'
import { runReference } from '../../src/model/reference/run.js'
import {
  answerOf,
  HEAD_NAMES,
  headRow,
  headsFor,
  isTextClassifier,
  selectHeads,
  TASK_NAMES,
  taskRow,
  transformersClassOf,
  type HeadName,
} from '../../src/model/tasks.js'
import { writeRandomModel } from '../helpers/random-model.js'

const SHAPE = {
  layers: 1,
  groups: 1,
  inner: 1,
  hidden: 16,
  embedding: 8,
  intermediate: 32,
  sharing: 'all',
  preNorm: false,
  act: 'gelu_tanh',
} as const

const taskOf = (head: HeadName) =>
  TASK_NAMES.find((task) => taskRow(task).heads.length === 1 && taskRow(task).heads[0] === head)!

let out: string
beforeAll(() => {
  out = mkdtempSync(join(tmpdir(), 'albertkit-tasks-'))
})
afterAll(() => {
  rmSync(out, { recursive: true })
})

describe.each(HEAD_NAMES)('a model with the head %s alone', (head) => {
  it('can do the tasks that need it and no other, and gives the outputs of its row', async () => {
    const directory = join(out, head)
    await writeRandomModel(directory, 'google', { ...SHAPE, heads: [head], pooler: true })
    const opened = await openModel(directory)
    try {
      const { model, source } = opened
      expect(headsOf(model)).toEqual([head])
      for (const task of TASK_NAMES) {
        const { heads } = taskRow(task)
        if (heads.length === 0 || heads.includes(head)) expect(resolveTask(model, task)).toBe(task)
        else expect(() => resolveTask(model, task)).toThrow(`no head for the task ${task}`)
      }
      expect(taskRow(resolveTask(model, 'auto')).heads).toContain(head)
      const selection = headsFor(taskOf(head))
      const row = (values: number[]): Int32Array => Int32Array.from(values)
      const choices = taskRow(taskOf(head)).inputs === 'choices'
      const inputs = {
        batch: 2,
        sequence: 3,
        input_ids: row([1, 2, 3, 4, 5, 6]),
        attention_mask: row([1, 1, 1, 1, 1, 0]),
        token_type_ids: row([0, 0, 1, 0, 0, 1]),
        ...(choices ? { choices: 2 } : {}),
      }
      const given = [...runReference(model, source, inputs, selection).keys()]
      const expected = ['last_hidden_state', 'pooler_output', ...headRow(head).outputs]
      expect(outputNames(model, selection)).toEqual(expected)
      expect(given.filter((name) => !/^(hidden_state_|embedding_)/.test(name))).toEqual(expected)
      expect(answerOf(taskOf(head))).toBe(headRow(head).outputs[0])
    } finally {
      opened.close()
    }
  })
})

it('runs the heads of a task and no other', () => {
  expect(headsFor('pretraining')).toEqual({ mlm: true, sop: true, classifier: false, qa: false })
  expect(headsFor('multiple-choice')).toEqual({ mlm: false, sop: false, classifier: true, qa: false })
  expect(selectHeads([])).toEqual({ mlm: false, sop: false, classifier: false, qa: false })
})

it('names the class of transformers', () => {
  expect(TASK_NAMES.map((task) => transformersClassOf('albert', task))).toEqual([
    'AlbertModel',
    'AlbertForPreTraining',
    'AlbertForMaskedLM',
    'AlbertForPreTraining',
    'AlbertForSequenceClassification',
    'AlbertForTokenClassification',
    'AlbertForMultipleChoice',
    'AlbertForQuestionAnswering',
  ])
  expect(transformersClassOf('bert', 'sop')).toBe('BertForNextSentencePrediction')
})

it('counts accuracy for classifiers of texts alone', () => {
  expect(TASK_NAMES.filter(isTextClassifier)).toEqual(['classify'])
})
