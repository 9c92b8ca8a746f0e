import { describe, expect, it } from 'vitest'
import { AlbertkitError } from '../../../src/base/errors.js'
import { DTYPE_BYTES, elementCount, type DType, type TensorSource } from '../../../src/formats/core/source.js'
import { hasLora, mergeLora } from '../../../src/model/rewrite/lora.js'
import { encodeFloats } from '../../../src/model/tensors/encode.js'
import { MemorySource } from '../../helpers/tiny-model.js'

type Tensors = Readonly<Record<string, readonly [shape: readonly number[], values: readonly number[], dtype?: DType]>>

function sourceOf(tensors: Tensors, more: object = {}): MemorySource {
  const source = new MemorySource()
  for (const [name, [shape, values, dtype = 'F32']] of Object.entries(tensors)) {
    const bytes = new Uint8Array(elementCount(shape) * DTYPE_BYTES[dtype])
    if (dtype !== 'I32') encodeFloats(dtype, Float32Array.from(values), bytes)
    source.set(name, dtype, shape, bytes)
  }
  return Object.assign(source, more)
}

const config = (fields: object = {}) => ({
  file: 'adapter_config.json',
  fields: { peft_type: 'LORA', lora_alpha: 4, ...fields },
})

function values(source: TensorSource, name: string): number[] {
  const bytes = new Uint8Array(source.tensors.get(name)!.byteLength)
  source.read(name, 0, bytes)
  return [...new Float32Array(bytes.buffer)]
}

function refusal(base: Tensors, adapter: Tensors | null, fields: object = {}): unknown {
  try {
    mergeLora(sourceOf(base), adapter === null ? null : sourceOf(adapter), config(fields))
  } catch (error) {
    if (!(error instanceof AlbertkitError)) throw error
    const { kind, code, message, hint, place } = error
    return { kind, code, message, hint, ...place }
  }
  return 'merged'
}

// W + 4/2 · B·A, by hand: B·A = [[1, 2, 3], [4, 9, 14]].
const W: Tensors = {
  'bert.x.query.weight': [
    [2, 3],
    [10, 20, 30, 40, 50, 60],
  ],
  'bert.x.query.bias': [[2], [7, 8]],
}
const A = [
  [2, 3],
  [1, 2, 3, 0, 1, 2],
] as const
const B = [
  [2, 2],
  [1, 0, 4, 1],
] as const
const MERGED = [12, 24, 36, 48, 68, 88]
const adapterOf = (module: string, suffix = '.weight'): Tensors => ({
  [`${module}.lora_A${suffix}`]: A,
  [`${module}.lora_B${suffix}`]: B,
})

describe('a LoRA adapter', () => {
  it('is added to the kernels that it changes', () => {
    const base = sourceOf(W)
    const merged = mergeLora(base, sourceOf(adapterOf('base_model.model.bert.x.query')), config())
    expect([...merged.tensors.values()]).toEqual([
      { name: 'bert.x.query.weight', dtype: 'F32', shape: [2, 3], byteLength: 24, file: 'memory' },
      { name: 'bert.x.query.bias', dtype: 'F32', shape: [2], byteLength: 8, file: 'memory' },
    ])
    expect(values(merged, 'bert.x.query.weight')).toEqual(MERGED)
    expect(values(merged, 'bert.x.query.bias')).toEqual([7, 8])
    expect(() => {
      merged.read('x', 0, new Uint8Array(4))
    }).toThrow(new RangeError('no tensor named x'))
  })

  it('is added to every range of a kernel, also between its elements', () => {
    const merged = mergeLora(sourceOf(W), sourceOf(adapterOf('base_model.model.bert.x.query')), config())
    const whole = new Uint8Array(Float32Array.from(MERGED).buffer)
    for (let start = 0; start <= 24; start++)
      for (let end = start; end <= 24; end++) {
        const part = new Uint8Array(end - start)
        merged.read('bert.x.query.weight', start, part)
        expect(part, `${start} to ${end}`).toEqual(whole.slice(start, end))
      }
  })

  it.each([
    ['bert.x.query', 'base_model.model.bert.x.query', '.weight'],
    ['bert.x.query', 'base_model.model.bert.x.query', '.default.weight'],
    ['bert.x.query', 'bert.x.query', ''],
    ['bert.x.query', 'model.base_model.model.bert.x.query', '.weight'],
    ['bert.x.query', 'base_model.model.base_model.model.bert.x.query', '.weight'],
    // A base that was saved by another class.
    ['x.query', 'base_model.model.bert.x.query', '.weight'],
    ['x.query', 'base_model.model.albert.x.query', '.weight'],
    ['bert.x.query', 'base_model.model.x.query', '.weight'],
    ['albert.x.query', 'base_model.model.x.query', '.weight'],
  ])('finds %s of the base by %s%s', (name, module, suffix) => {
    const base = sourceOf({ [`${name}.weight`]: W['bert.x.query.weight']! })
    const merged = mergeLora(base, sourceOf(adapterOf(module, suffix)), config())
    expect([...merged.tensors.keys()]).toEqual([`${name}.weight`])
    expect(values(merged, `${name}.weight`)).toEqual(MERGED)
  })

  it('may be in the file of the whole wrapped model', () => {
    const file = sourceOf({
      'base_model.model.bert.x.query.base_layer.weight': W['bert.x.query.weight']!,
      'base_model.model.bert.x.query.base_layer.bias': W['bert.x.query.bias']!,
      ...adapterOf('base_model.model.bert.x.query', '.default.weight'),
      'base_model.model.classifier.original_module.weight': [[1, 1], [1]],
      'base_model.model.classifier.modules_to_save.default.weight': [[1, 1], [2]],
      'base_model.model.pooler.modules_to_save.weight': [[1, 1], [3]],
      'base_model.model.pooler.original_module.weight': [[1, 1], [4]],
    })
    const merged = mergeLora(file, null, config())
    expect([...merged.tensors.keys()]).toEqual([
      'bert.x.query.weight',
      'bert.x.query.bias',
      'classifier.weight',
      'pooler.weight',
    ])
    expect([...merged.tensors.values()].map(({ name }) => name)).toEqual([...merged.tensors.keys()])
    // What was trained counts, whichever comes first.
    expect([...merged.tensors.keys()].map((name) => values(merged, name))).toEqual([MERGED, [7, 8], [2], [3]])
    expect([hasLora(file), hasLora(merged), hasLora(sourceOf(W))]).toEqual([true, false, false])
  })

  it('may name itself in some of its variables, and not in others', () => {
    const two = { ...W, 'y.weight': W['bert.x.query.weight']!, 'z.weight': W['bert.x.query.weight']! }
    const adapter = sourceOf({ ...adapterOf('bert.x.query', '.one.weight'), ...adapterOf('y'), ...adapterOf('z', '') })
    const merged = mergeLora(sourceOf(two), adapter, config())
    for (const name of ['bert.x.query.weight', 'y.weight', 'z.weight']) expect(values(merged, name)).toEqual(MERGED)
  })

  it('leaves all other names as they are', () => {
    const one = [[1], [1]] as const
    const names = ['x.weight', 'bert.x.weight', 'a.base_model.model.x', 'a.model.base_model.x', 'model.x', 'b.layer.x']
    const base = sourceOf(Object.fromEntries(names.map((name) => [name, one])))
    expect([...mergeLora(base, null, config()).tensors.keys()]).toEqual(names)
    // Only the first scope may be that of another class.
    expect(refusal({ 'x.y.weight': W['bert.x.query.weight']! }, adapterOf('x.bert.y'))).toMatchObject({
      code: 'name-unknown',
    })
  })

  it('replaces modules of the base that it holds whole', () => {
    const base = sourceOf({ ...W, 'bert.classifier.weight': [[1, 1], [1]] })
    const adapter = sourceOf({
      ...adapterOf('base_model.model.bert.x.query'),
      'base_model.model.classifier.weight': [[1, 1], [5]],
      'base_model.model.other.weight': [[1, 1], [6]],
    })
    const merged = mergeLora(base, adapter, config())
    expect([...merged.tensors.keys()].slice(2)).toEqual(['bert.classifier.weight', 'other.weight'])
    expect([values(merged, 'bert.classifier.weight'), values(merged, 'other.weight')]).toEqual([[5], [6]])
  })

  it('of an embedding is transposed', () => {
    // (B·A)ᵀ: A is [rank, rows], B is [columns, rank].
    const base = sourceOf({
      'word.weight': [
        [3, 2],
        [10, 20, 30, 40, 50, 60],
      ],
    })
    const adapter = sourceOf({
      'base_model.model.word.lora_embedding_A': A,
      'base_model.model.word.lora_embedding_B': B,
    })
    expect(values(mergeLora(base, adapter, config()), 'word.weight')).toEqual([12, 28, 34, 58, 56, 88])
    const named = sourceOf({
      'base_model.model.word.lora_embedding_A.default': A,
      'base_model.model.word.lora_embedding_B.default': B,
    })
    expect(values(mergeLora(base, named, config()), 'word.weight')).toEqual([12, 28, 34, 58, 56, 88])
  })

  it('may be of other types than its base, which is then float32', () => {
    const base = sourceOf({ 'x.weight': [[2, 3], [10, 20, 30, 40, 50, 60], 'BF16'], 'y.weight': [[1], [1], 'F16'] })
    const half = Object.fromEntries(
      Object.entries(adapterOf('x')).map(([name, [shape, numbers]]) => [name, [shape, numbers, 'F16'] as const]),
    )
    const merged = mergeLora(base, sourceOf(half), config())
    expect(values(merged, 'x.weight')).toEqual(MERGED)
    expect([...merged.tensors.values()].map(({ dtype, byteLength }) => [dtype, byteLength])).toEqual([
      ['F32', 24],
      ['F16', 2],
    ])
  })

  it('rounds each step to float32, as PyTorch does', () => {
    // torch: 0.1 + (0.3 · 0.7 + 0.9 · 1.1) · (3 / 2)
    const base = sourceOf({ 'x.weight': [[1, 1], [0.1]] })
    const adapter = sourceOf({
      'x.lora_A.weight': [
        [2, 1],
        [0.7, 1.1],
      ],
      'x.lora_B.weight': [
        [1, 2],
        [0.3, 0.9],
      ],
    })
    const f = Math.fround
    const sum = f(f(f(0.3) * f(0.7)) + f(0.9) * f(1.1))
    expect(values(mergeLora(base, adapter, config({ lora_alpha: 3 })), 'x.weight')).toEqual([f(f(0.1) + f(sum * 1.5))])
    // A third as a factor is rounded first.
    const third = {
      'x.lora_A.weight': [
        [3, 1],
        [1e6, 0, 0],
      ],
      'x.lora_B.weight': [
        [1, 3],
        [1e3, 0, 0],
      ],
    } as const
    expect(values(mergeLora(base, sourceOf(third), config({ lora_alpha: 1 })), 'x.weight')).toEqual([
      f(f(0.1) + f(1e9 * f(1 / 3))),
    ])
  })

  it.each([
    [{}, 2],
    [{ lora_alpha: 6 }, 3],
    [{ use_rslora: true }, 4 / Math.SQRT2],
    [{ use_rslora: 'true' }, 2],
    [{ alpha_pattern: { query: 8 } }, 4],
    [{ alpha_pattern: { key: 8 } }, 2],
    [{ alpha_pattern: { 'x.query': 8, query: 10 } }, 4],
    [{ alpha_pattern: { query: 10, 'x.query': 8 } }, 5],
    [{ alpha_pattern: { '.*query': 8 } }, 4],
    [{ alpha_pattern: { 'bert.x.query': 8 } }, 4],
    [{ alpha_pattern: { uery: 8 } }, 2],
    [{ alpha_pattern: { quer: 8 } }, 2],
    [{ alpha_pattern: { '^query': 8 } }, 2],
    [{ alpha_pattern: { 'query|key': 8 } }, 4],
    [{ alpha_pattern: { query: '8' } }, 2],
    [{ alpha_pattern: { 'query(': 8 } }, 2],
    [{ alpha_pattern: null }, 2],
    [{ alpha_pattern: 'query' }, 2],
  ])('is scaled as its configuration says: %j by %d', (fields, scale) => {
    const base = sourceOf({
      'bert.x.query.weight': [
        [2, 3],
        [0, 0, 0, 0, 0, 0],
      ],
    })
    const merged = mergeLora(base, sourceOf(adapterOf('bert.x.query')), config(fields))
    const wanted = [1, 2, 3, 4, 9, 14].map((x) => Math.fround(x * Math.fround(scale)))
    expect(values(merged, 'bert.x.query.weight')).toEqual(wanted)
  })

  it('takes a pattern that is no regular expression as it is written', () => {
    const base = sourceOf({
      'bert.que(ry.weight': [
        [2, 3],
        [0, 0, 0, 0, 0, 0],
      ],
    })
    for (const [pattern, first] of [
      ['que(ry', 4],
      ['bert.que(ry', 4],
      ['ue(ry', 2],
    ] as const) {
      const merged = mergeLora(base, sourceOf(adapterOf('bert.que(ry')), config({ alpha_pattern: { [pattern]: 8 } }))
      expect(values(merged, 'bert.que(ry.weight')[0]).toBe(first)
    }
  })

  it('has the files, notes and checksums of both sources', () => {
    const checked: string[] = []
    const closed: string[] = []
    const watched = (file: string, tensors: Tensors, more: object = {}): MemorySource =>
      sourceOf(tensors, {
        ...{ files: [file, 'both'], notes: [`note of ${file}`] },
        verifyChecksum: (name: string) => checked.push(`${file}: ${name}`),
        close: () => closed.push(file),
        ...more,
      })
    const base = watched('base', W, { metadata: new Map([['format', 'pt']]), missingFiles: ['lost'] })
    const adapter = watched('adapter', { ...adapterOf('bert.x.query'), 'base_model.model.y.weight': [[1], [1]] })
    const merged = mergeLora(base, adapter, config())
    expect(merged).toMatchObject({
      format: 'memory',
      files: ['base', 'both', 'adapter'],
      notes: ['note of base', 'note of adapter'],
      missingFiles: ['lost'],
      metadata: new Map([['format', 'pt']]),
    })
    for (const name of merged.tensors.keys()) merged.verifyChecksum(name)
    expect(checked).toEqual([
      ...['base: bert.x.query.weight', 'base: bert.x.query.bias', 'adapter: base_model.model.y.weight'],
    ])
    merged.close()
    expect(closed).toEqual(['base', 'adapter'])
    expect('metadata' in mergeLora(sourceOf(W), null, config())).toBe(false)
  })
})

describe('an adapter that is not merged', () => {
  const hint = 'merge it with PEFT (merge_and_unload()) and convert the result'
  const unsupported = (field: string, message: string): unknown => ({
    ...{ kind: 'unsupported', code: 'architecture-unsupported', message, hint },
    ...{ file: 'adapter_config.json', field },
  })
  it.each([
    [{ peft_type: 'IA3' }, 'peft_type', 'peft_type is "IA3": only LoRA is merged here'],
    [{ peft_type: undefined }, 'peft_type', 'peft_type is undefined: only LoRA is merged here'],
    [{ use_dora: true }, 'use_dora', 'use_dora is true: DoRA scales the sum by a magnitude of each row'],
    [{ lora_bias: true }, 'lora_bias', 'lora_bias is true: the deltas have a bias of their own'],
    [
      { trainable_token_indices: [1] },
      'trainable_token_indices',
      'trainable_token_indices is [1]: rows of the embeddings were trained apart',
    ],
    [
      { alora_invocation_tokens: [] },
      'alora_invocation_tokens',
      'alora_invocation_tokens is []: the adapter acts from a token on',
    ],
    [
      { target_parameters: ['a'] },
      'target_parameters',
      'target_parameters is ["a"]: parameters and not layers were changed',
    ],
    [{ new_field: 1 }, 'new_field', 'new_field is 1: what it changes is not known here'],
    [{ new_field: { a: 1 } }, 'new_field', 'new_field is {"a":1}: what it changes is not known here'],
    [
      { init_lora_weights: 'pissa' },
      'init_lora_weights',
      'init_lora_weights is "pissa": PEFT changes the base weights too when it loads such an adapter',
    ],
    [
      { init_lora_weights: 'not_gaussian' },
      'init_lora_weights',
      'init_lora_weights is "not_gaussian": PEFT changes the base weights too when it loads such an adapter',
    ],
    [
      { init_lora_weights: 'eva2' },
      'init_lora_weights',
      'init_lora_weights is "eva2": PEFT changes the base weights too when it loads such an adapter',
    ],
  ])('has %j', (fields, field, message) => {
    expect(refusal(W, adapterOf('bert.x.query'), fields)).toEqual(unsupported(field, message))
  })

  it.each([
    { use_dora: false, lora_bias: false, trainable_token_indices: null },
    { new_field: {}, other_field: [], third: null, fourth: false, fifth: 0, sixth: '' },
    { init_lora_weights: 'gaussian' },
    { init_lora_weights: 'eva' },
    { init_lora_weights: 'orthogonal' },
    { init_lora_weights: 'true' },
    { init_lora_weights: 'false' },
    { init_lora_weights: true },
    // Every field that PEFT 0.17 writes for a plain adapter.
    {
      ...{ task_type: 'SEQ_CLS', auto_mapping: { a: 1 }, peft_version: '0.17', revision: 'main', inference_mode: true },
      ...{ base_model_name_or_path: 'x', r: 2, rank_pattern: { a: 1 }, alpha_pattern: {}, bias: 'none' },
      ...{ modules_to_save: ['x'], target_modules: ['query'], exclude_modules: ['x'], layers_to_transform: [0] },
      ...{
        layers_pattern: 'layer',
        lora_dropout: 0.1,
        fan_in_fan_out: true,
        loftq_config: { a: 1 },
        eva_config: { a: 1 },
      },
      ...{
        corda_config: { a: 1 },
        lora_ga_config: { a: 1 },
        megatron_config: { a: 1 },
        megatron_core: 'megatron.core',
      },
      ...{ qalora_group_size: 16, runtime_config: { a: 1 }, unsloth_fixed: true, unsloth_version: '1' },
    },
  ])('is not one with %j', (fields) => {
    expect(refusal(W, adapterOf('bert.x.query'), fields)).toBe('merged')
  })

  it('has no scale, or several adapters', () => {
    const place = { hint: undefined, file: 'adapter_config.json' }
    expect(refusal(W, adapterOf('bert.x.query'), { lora_alpha: '4' })).toEqual({
      ...{ kind: 'unsupported', code: 'config-invalid', ...place, field: 'lora_alpha' },
      message: 'lora_alpha, the scale of the deltas, is absent',
    })
    const two = { ...adapterOf('bert.x.query', '.one.weight'), ...adapterOf('bert.x.query', '.two.weight') }
    expect(refusal(W, two)).toEqual({
      ...{ kind: 'unsupported', code: 'choice-ambiguous', ...place },
      message: 'the file has several adapters: one, two',
    })
  })

  it.each([
    ['a module that the base lacks', adapterOf('bert.y'), 'bert.y', 'bert.y.lora_A.weight'],
    ['no A', { 'bert.x.query.lora_B.weight': B }, 'bert.x.query', 'bert.x.query.lora_B.weight'],
    ['no B', { 'bert.x.query.lora_A.weight': A }, 'bert.x.query', 'bert.x.query.lora_A.weight'],
    ['a bias', adapterOf('bert.x.query.bias'), 'bert.x.query.bias', 'bert.x.query.bias.lora_A.weight'],
  ] as const)('changes %s', (_, adapter, module, tensor) => {
    expect(refusal(W, adapter)).toEqual({
      kind: 'usage',
      code: 'name-unknown',
      message: `the adapter changes ${module}, which the base does not have`,
      hint: 'give the base that the adapter was trained on',
      file: 'adapter_config.json',
      tensor,
    })
  })

  const words = (a: string, b: string, w: string): string =>
    `the deltas of x.weight have shapes [${a}] and [${b}], the weight [${w}]`
  it.each([
    [
      words('2, 3', '2, 2', '2, 4'),
      {
        'x.weight': [
          [2, 4],
          [1, 2, 3, 4, 5, 6, 7, 8],
        ],
      },
      adapterOf('x'),
    ],
    [
      words('2, 3', '2, 2', '3, 3'),
      {
        'x.weight': [
          [3, 3],
          [1, 2, 3, 4, 5, 6, 7, 8, 9],
        ],
      },
      adapterOf('x'),
    ],
    [
      words('2, 3', '2, 2', '2, 3, 1'),
      {
        'x.weight': [
          [2, 3, 1],
          [1, 2, 3, 4, 5, 6],
        ],
      },
      adapterOf('x'),
    ],
    [words('2, 3', '2, 2', '2, 3'), { 'x.weight': [[2, 3], [], 'I32'] }, adapterOf('x')],
    [
      words('2, 3', '2, 1', '2, 3'),
      { 'x.weight': W['bert.x.query.weight']! },
      {
        'x.lora_A.weight': A,
        'x.lora_B.weight': [
          [2, 1],
          [1, 2],
        ],
      },
    ],
    [
      words('2, 3', '2, 2', '2, 3'),
      { 'x.weight': W['bert.x.query.weight']! },
      { 'x.lora_embedding_A': A, 'x.lora_embedding_B': B },
    ],
  ] as readonly (readonly [string, Tensors, Tensors])[])('does not fit: %s', (message, base, adapter) => {
    expect(refusal(base, adapter)).toEqual({
      kind: 'unsupported',
      code: 'shape-mismatch',
      message,
      hint: undefined,
      file: 'adapter_config.json',
      tensor: Object.keys(adapter)[0],
    })
  })
})
