import { describe, expect, it } from 'vitest'
import type { AlbertModel } from '../../src/model/albert.js'
import type { ForwardOutputs } from '../../src/model/forward.js'
import { canDo, headsOf, hiddenStateCount, outputNames, resolveTask, selectOutputs } from '../../src/model/outputs.js'
import {
  ALL_HEADS,
  answerOf,
  classifierHead,
  classifierKindOf,
  hasTransformersPooler,
  HEAD_OUTPUTS,
  TASK_NAMES,
} from '../../src/model/tasks.js'
import { errorOf } from '../helpers/named-source.js'
import { plannedModel, type PlanOptions } from '../helpers/planned-model.js'

const HF = 'Hugging Face ALBERT'
const modelOf = (options: PlanOptions, title = HF): AlbertModel => plannedModel(title, options).model

const ENCODER = ['last_hidden_state', 'pooler_output']
/** Parts of a file, its classifier's kind → heads, outputs, tasks that it can do, and the one that `auto` means. */
const CASES: readonly (readonly [PlanOptions, readonly string[], readonly string[], readonly string[], string])[] = [
  [{ parts: [] }, [], ['last_hidden_state'], ['features'], 'features'],
  [{}, [], ENCODER, ['features'], 'features'],
  [
    { parts: ['pooler', 'mlm', 'sop'] },
    ['mlm', 'sop'],
    [...ENCODER, 'prediction_logits', 'sop_logits'],
    ['features', 'pretraining', 'mlm', 'sop'],
    'pretraining',
  ],
  [
    { parts: ['mlm'] },
    ['mlm'],
    ['last_hidden_state', 'prediction_logits'],
    ['features', 'pretraining', 'mlm'],
    'pretraining',
  ],
  [{ parts: ['sop'] }, ['sop'], ['last_hidden_state'], ['features'], 'features'],
  [
    { parts: ['pooler', 'classifier', 'mlm'] },
    ['mlm', 'classifier'],
    [...ENCODER, 'prediction_logits', 'logits'],
    ['features', 'pretraining', 'mlm', 'classify'],
    'classify',
  ],
  [
    { parts: ['classifier', 'qa'] },
    ['token-classifier', 'qa'],
    ['last_hidden_state', 'logits', 'start_logits', 'end_logits'],
    ['features', 'token-classification', 'qa'],
    'token-classification',
  ],
  [
    { parts: ['pooler', 'classifier'], kinds: { asked: 'choice' } },
    ['multiple-choice'],
    [...ENCODER, 'logits'],
    ['features', 'multiple-choice'],
    'multiple-choice',
  ],
  [
    { parts: ['classifier', 'qa'], kinds: { asked: 'sequence' } },
    ['classifier', 'qa'],
    ['last_hidden_state', 'start_logits', 'end_logits'],
    ['features', 'qa'],
    'qa',
  ],
]

describe('heads, outputs and tasks', () => {
  it.each(CASES)('of %j', (options, heads, outputs, tasks, auto) => {
    const model = modelOf(options)
    expect(headsOf(model)).toEqual(heads)
    expect(outputNames(model, ALL_HEADS)).toEqual(outputs)
    expect(TASK_NAMES.filter((task) => canDo(model, task))).toEqual(tasks)
    expect(resolveTask(model, 'auto')).toBe(auto)
    for (const task of TASK_NAMES.filter((one) => canDo(model, one))) expect(resolveTask(model, task)).toBe(task)
  })

  it('of heads with poolers of their own need no other', () => {
    const options = { split: true, parts: ['sop', 'sop/pooler', 'classifier', 'classifier/pooler'] }
    const model = modelOf(options, 'tf-models ALBERT (Keras, TF-Hub)')
    expect(outputNames(model, ALL_HEADS)).toEqual(['last_hidden_state', 'sop_logits', 'logits'])
    expect(TASK_NAMES.filter((task) => canDo(model, task))).toEqual(['features', 'pretraining', 'sop', 'classify'])
  })

  it('are those of the heads that are selected', () => {
    const model = modelOf({ parts: ['pooler', 'mlm', 'sop', 'qa'] })
    expect(outputNames(model, { mlm: false, sop: true, classifier: true, qa: false })).toEqual([
      ...ENCODER,
      'sop_logits',
    ])
  })

  it.each<[PlanOptions, string]>([
    [{}, 'it has no head: use the task features'],
    [{ parts: ['pooler', 'mlm', 'classifier'] }, 'its heads: mlm, classifier'],
    [{ parts: ['mlm', 'sop'] }, 'its heads: mlm, sop; the weights have no pooler, which a head for sequences needs'],
  ])('that a model %j lacks are refused', (options, hint) => {
    expect(errorOf(() => resolveTask(modelOf(options), 'qa'))).toEqual({
      kind: 'usage',
      code: 'task-unavailable',
      message: 'the model has no head for the task qa',
      hint,
    })
  })

  it('count hidden states as the family does', () => {
    expect(hiddenStateCount(modelOf({ sizes: { inner: 3 } }))).toBe(2)
    expect(hiddenStateCount(modelOf({ sizes: { inner: 3 } }, 'google-research ALBERT'))).toBe(6)
  })
})

describe('the outputs of a forward pass', () => {
  const given = {
    last_hidden_state: 'a',
    pooler_output: null,
    prediction_logits: 'b',
    sop_logits: null,
    logits: 'c',
    start_logits: 'd',
    end_logits: 'e',
    embedding_output: 'f',
    hidden_states: ['g', 'h'],
  } as unknown as ForwardOutputs<string>
  const usual = [
    ['last_hidden_state', 'a'],
    ['prediction_logits', 'b'],
    ['logits', 'c'],
    ['start_logits', 'd'],
    ['end_logits', 'e'],
  ]

  it('are in the order of an artefact, without those that the model lacks', () => {
    expect(selectOutputs(given, false)).toEqual(usual)
  })

  it('are with all others after them if asked', () => {
    expect(selectOutputs(given, true)).toEqual([
      ...usual,
      ['embedding_output', 'f'],
      ['hidden_state_0', 'g'],
      ['hidden_state_1', 'h'],
    ])
  })
})

describe('tasks', () => {
  it('answer with the first output of their head', () => {
    expect(TASK_NAMES.map((task) => [task, answerOf(task)])).toEqual([
      ['features', 'last_hidden_state'],
      ['pretraining', 'prediction_logits'],
      ['mlm', 'prediction_logits'],
      ['sop', 'sop_logits'],
      ['classify', 'logits'],
      ['token-classification', 'logits'],
      ['multiple-choice', 'logits'],
      ['qa', 'start_logits'],
    ])
    expect(HEAD_OUTPUTS).toEqual(['prediction_logits', 'sop_logits', 'logits', 'start_logits', 'end_logits'])
  })

  it('run one kind of classifier or none', () => {
    expect([...TASK_NAMES, 'auto' as const, undefined].map(classifierKindOf)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      'sequence',
      'token',
      'choice',
      undefined,
      undefined,
      undefined,
    ])
    expect((['sequence', 'token', 'choice'] as const).map(classifierHead)).toEqual([
      'classifier',
      'token-classifier',
      'multiple-choice',
    ])
  })

  it('have a pooler in transformers if they read one, or have no head', () => {
    expect(TASK_NAMES.filter(hasTransformersPooler)).toEqual([
      'features',
      'pretraining',
      'sop',
      'classify',
      'multiple-choice',
    ])
  })
})
