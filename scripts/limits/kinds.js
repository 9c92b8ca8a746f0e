// Files that are made to cost time or memory, of any size: what stands in them once is referred to or repeated n times.
import * as b from './bytes.js'
import { hfConfig, hfTensors, tfConfig, tfEntries, VOCABULARY } from './model.js'

/**
 * A kind: `make(n)` gives the files of a folder. `sizes` lie below and far above the limits of the reader. `open` is the
 * file to inspect, the folder if it is left out; `tokenize` is read by that command. `largest` is the number of bytes of
 * the largest tensor.
 */
const kinds = {}
const kind = (name, sizes, make, more = {}) => (kinds[name] = { sizes, make, ...more })

const { cat, int, len, times, u32 } = b
const id = (i) => String(i).padStart(7, '0')
const EMPTY = Buffer.alloc(0)

// Bundles.

const bundle = (index, data = Buffer.alloc(4)) => ({
  'model.ckpt.index': index,
  'model.ckpt.data-00000-of-00001': data,
  'albert_config.json': tfConfig(),
})
const SMALL = cat(int(1, 1), len(2, b.shapeOf([0])), [0x35], u32(b.masked(0)))
const named = (n, name) => times(n, (i) => [name(i), SMALL])
const bundleOf = (entries, perBlock) => bundle(b.table([['', b.bundleHeader()], ...entries], perBlock))

kind('bundle: names', [20_000, 100_000, 1_000_000], (n) => bundleOf(named(n, (i) => `t${id(i)}`)))
kind('bundle: one prefix of names', [5_000, 20_000, 100_000], (n) =>
  bundleOf(
    named(n, (i) => 'a'.repeat(1000) + id(i)),
    n,
  ),
)
kind('bundle: one key of a megabyte', [100, 1_000, 16_000], (n) => {
  const key = Buffer.alloc(1_000_000, 0x61)
  const next = (i) => cat(b.varint(key.length), [7], b.varint(SMALL.length), id(i), SMALL)
  const first = cat([0, 0], b.varint(b.bundleHeader().length), b.bundleHeader())
  const body = cat(first, [0], b.varint(key.length), b.varint(SMALL.length), key, SMALL, times(n, next), u32(0), u32(1))
  return bundle(b.tableOf([['b', body]]))
})
kind('bundle: slices', [1_000, 10_000, 100_000], (n) => {
  const slice = len(7, len(1, cat(int(1, 0), int(2, 1))))
  return bundleOf([
    [
      'bert/w',
      cat(
        int(1, 1),
        len(2, b.shapeOf([n])),
        times(n, () => slice),
      ),
    ],
  ])
})
kind('bundle: shards', [1_000, 4_000, 100_000], (n) => {
  const entries = times(n, (i) => [`t${id(i)}`, cat(int(1, 1), int(3, i), int(5, 4))])
  return {
    'model.ckpt.index': b.table([['', b.bundleHeader(n)], ...entries]),
    [`model.ckpt.data-00000-of-${String(n).padStart(5, '0')}`]: Buffer.alloc(4),
    'albert_config.json': tfConfig(),
  }
})
kind('bundle: a model and names', [10_000, 50_000, 100_000], (n) => {
  const { entries, data } = tfEntries()
  const more = named(n, (i) => `zz/t${id(i)}`)
  return bundle(b.table([['', b.bundleHeader()], ...entries, ...more]), data)
})
/** A graph of objects, each with children `[name, number]`; object i has the variable `v<i>` if `named` says so. */
function objects(graph) {
  const path = (i) => `v${id(i)}/.ATTRIBUTES/VARIABLE_VALUE`
  const nodes = graph.map((children, i) => {
    const own = len(2, cat(len(1, 'VARIABLE_VALUE'), len(2, 'w'), len(3, path(i))))
    return len(
      1,
      cat(
        children.map(([name, to]) => len(1, cat(int(1, to), len(2, name)))),
        own,
      ),
    )
  })
  const proto = cat(nodes)
  const length = u32(proto.length)
  const own = u32(b.masked(b.crc32c(length)))
  const data = cat(b.varint(proto.length), own, proto)
  const sum = u32(b.masked(b.crc32c(cat(length, own, proto))))
  const graphEntry = ['_CHECKPOINTABLE_OBJECT_GRAPH', cat(int(1, 7), int(5, data.length), [0x35], sum)]
  const zero = u32(b.masked(b.crc32c(Buffer.alloc(4))))
  const entries = graph.map((_, i) => [path(i), cat(int(1, 1), int(4, data.length), int(5, 4), [0x35], zero)])
  return bundle(b.table([['', b.bundleHeader()], graphEntry, ...entries]), cat(data, Buffer.alloc(4)))
}
kind('bundle: a chain of objects', [1_000, 10_000, 90_000], (n) =>
  objects(times(n, (i) => (i + 1 < n ? [['child-of-a-layer', i + 1]] : []))),
)
kind('bundle: a chain of objects with long names', [500, 2_000, 4_000], (n) =>
  objects(times(n, (i) => (i + 1 < n ? [['a'.repeat(1000), i + 1]] : []))),
)
kind('bundle: an object with many children', [5_000, 20_000, 90_000], (n) =>
  objects([times(n - 1, (i) => [`layer_${i}`, i + 1]), ...times(n - 1, () => [])]),
)
kind('bundle: objects that all know all', [100, 300, 1_000], (n) =>
  objects(times(n, () => times(n, (i) => [`k${i}`, i]))),
)

// V1 checkpoints, graphs.

const v1 = (tensors) => ({
  'model.ckpt': b.table([['', len(1, cat(tensors, len(2, int(1, 1))))]]),
  'albert_config.json': tfConfig(),
})
const whole = (name) => len(1, cat(len(1, name), len(2, b.shapeOf([1])), int(3, 1), len(4, len(1, EMPTY))))
kind('V1: names', [20_000, 100_000, 1_000_000], (n) => v1(times(n, (i) => whole(`t${id(i)}`))))
kind('V1: slices', [10_000, 50_000, 500_000], (n) => {
  const slice = (i) => len(4, len(1, cat(int(1, i), int(2, 1))))
  return v1([len(1, cat(len(1, 'bert/w'), len(2, b.shapeOf([n])), int(3, 1), times(n, slice)))])
})
const node = (i) => {
  const value = len(8, cat(int(1, 1), len(2, b.shapeOf([1])), len(4, Buffer.alloc(4))))
  return len(
    1,
    cat(
      len(1, `n${id(i)}`),
      len(2, 'Const'),
      len(5, cat(len(1, 'dtype'), len(2, int(6, 1)))),
      len(5, cat(len(1, 'value'), len(2, value))),
    ),
  )
}
const graph = (nodes) => ({ 'frozen_model.pb': cat(nodes), 'albert_config.json': tfConfig() })
kind('frozen graph: constants', [20_000, 100_000, 500_000], (n) => graph(times(n, node)))
kind('frozen graph: one node with inputs', [10_000, 100_000, 1_000_000], (n) =>
  graph([
    len(
      1,
      cat(
        len(1, 'n'),
        len(2, 'AddN'),
        times(n, (i) => len(3, `n${id(i)}`)),
      ),
    ),
    node(0),
  ]),
)

// safetensors.

const hf = (name, bytes, more) => ({ [name]: bytes, 'config.json': hfConfig(more) })
const empty = (n, name) => times(n, (i) => [name(i), [0], EMPTY])
const st = (tensors, more) => hf('model.safetensors', b.safetensors(tensors, more))
kind('safetensors: names', [20_000, 100_000, 1_000_000], (n) => st(empty(n, (i) => `t${i}`)))
kind('safetensors: names of layers', [20_000, 100_000, 500_000], (n) =>
  st(empty(n, (i) => `bert.encoder.layer.${i}.attention.self.query.weight`)),
)
kind('safetensors: scopes', [20_000, 100_000, 500_000], (n) =>
  st(empty(n, (i) => `s${i}.encoder.layer.0.attention.self.query.weight`)),
)
kind('safetensors: names of many parts', [5_000, 20_000, 50_000], (n) =>
  st(empty(n, (i) => `${'a/'.repeat(480)}${i}/attention.self/query/kernel`)),
)
kind('safetensors: names that patterns look for', [5_000, 20_000, 50_000], (n) =>
  st(empty(n, (i) => `${i}${'.lora_'.repeat(160)}`)),
)
kind('safetensors: a model and names', [20_000, 100_000, 1_000_000], (n) =>
  st([...hfTensors(), ...empty(n, (i) => `t${i}`)]),
)
kind('safetensors: a model and layers', [20_000, 100_000, 500_000], (n) =>
  st([...hfTensors(), ...empty(n, (i) => `albert.encoder.albert_layer_groups.${i + 1}.albert_layers.0.ffn.bias`)]),
)
kind('safetensors: a model and dense layers', [10_000, 50_000, 250_000], (n) =>
  st([...hfTensors(), ...empty(n, (i) => `head${i}.weight`), ...empty(n, (i) => `head${i}.bias`)]),
)
kind('safetensors: a model and optimizer slots', [20_000, 100_000, 500_000], (n) =>
  st([...hfTensors(), ...empty(n, (i) => `t${i}/adam_m`)]),
)
kind('safetensors: metadata', [20_000, 200_000, 1_000_000], (n) =>
  st(hfTensors(), [`"__metadata__":{${times(n, (i) => `"k${i}":""`).join(',')}}`]),
)
kind('safetensors: a shape of numbers', [20_000, 200_000, 2_000_000], (n) =>
  st(hfTensors(), [`"w":{"dtype":"F32","shape":[${'1,'.repeat(n)}1],"data_offsets":[0,4]}`]),
)
kind('safetensors: a list of nothing', [20_000, 200_000, 5_000_000], (n) =>
  st(hfTensors(), [`"w":[${'[],'.repeat(n)}[]]`]),
)
kind('safetensors: fields of a tensor', [20_000, 200_000, 1_000_000], (n) =>
  st(hfTensors(), [`"w":{${times(n, (i) => `"k${i}":0`).join(',')}}`]),
)
const weightMap = (map) => Buffer.from(JSON.stringify({ weight_map: map }))
kind('safetensors: an index of names', [20_000, 100_000, 500_000], (n) => ({
  ...hf('model-1.safetensors', b.safetensors(hfTensors())),
  'model.safetensors.index.json': weightMap(Object.fromEntries(times(n, (i) => [`t${i}`, 'model-1.safetensors']))),
}))
kind('safetensors: an index of shards', [1_000, 4_000, 200_000], (n) => ({
  ...hf('s0', b.safetensors(hfTensors())),
  'model.safetensors.index.json': weightMap(Object.fromEntries(times(n, (i) => [`t${i}`, `s${i}`]))),
}))

// PyTorch.

const torch = (data) => hf('pytorch_model.bin', b.torchZip(data))
kind('torch: names', [20_000, 100_000, 300_000], (n) =>
  torch(
    b.pickle('}(', b.str('t'), b.tensor('0', [1]), b.put(1), times(n, (i) => [b.str(`t${i}`), b.get(1)]).flat(), 'u'),
  ),
)
kind('torch: dicts in one another', [1_000, 10_000, 100_000], (n) => {
  const inner = times(n, () => cat('}', b.str('k')))
  return torch(b.pickle(inner, b.tensor('0', [1]), 's'.repeat(n)))
})
kind('torch: one dict with a long key', [1_000, 10_000, 100_000], (n) => {
  const key = 'k'.repeat(100_000)
  const items = times(n, (i) => [b.num(i), b.get(2)]).flat()
  const innermost = cat('}(', b.num(n), b.tensor('0', [1]), b.put(2), items, 'u')
  return torch(
    b.pickle(
      '}',
      b.str(key),
      b.put(1),
      times(5, () => cat('}', b.get(1))),
      innermost,
      's'.repeat(6),
    ),
  )
})
kind('torch: dicts that double', [8, 16, 24], (n) => {
  // Each dict holds the one before twice: 2^n names of one tensor.
  const twice = times(n, (i) => cat(b.put(i + 2), '0}(', b.str('a'), b.get(i + 2), b.str('b'), b.get(i + 2), 'u'))
  return torch(b.pickle(b.tensor('0', [1]), twice))
})
const calls = (distinct) => (n) => {
  const pairs = distinct ? times(n, (i) => cat(b.num(i), 'N', [0x86])) : [cat('NN', [0x86])]
  const list = cat(']', b.put(1), '(', pairs, 'e0')
  const call = cat('ctorch._tensor\n_rebuild_from_type_v2\n', b.put(3), '0(ccollections\nOrderedDict\nN')
  const argument = cat(call, b.get(1), [0x85], 'Nt', b.put(4), '0')
  const made = times(n, () => cat(b.get(3), b.get(4), 'R'))
  return torch(b.pickle(list, argument, '}', b.str('w'), b.tensor('0', [1]), 's', b.str('x'), '](', made, 'es'))
}
kind('torch: calls that copy a list', [500, 5_000, 50_000], calls(true))
kind('torch: calls of one pair', [5_000, 50_000, 500_000], calls(false))
kind('torch: prefixes', [100, 10_000, 100_000], (n) => {
  const names = times(8, (i) => [b.str(`${'module.'.repeat(n)}w${i}`), b.get(2)]).flat()
  return torch(b.pickle('}(', b.str('w'), b.tensor('0', [1]), b.put(2), names, 'u'))
})
kind('torch: a string doubled in memory', [1_000, 100_000, 1_000_000], (n) =>
  torch(
    b.pickle(
      '(',
      b.str('s'.repeat(100)),
      b.put(1),
      times(n, () => b.get(1)),
      't',
    ),
  ),
)
kind('torch: folders of a zip', [5_000, 20_000, 49_000], (n) =>
  hf('pytorch_model.bin', b.zip(times(n, (i) => ({ name: `${i}/data.pkl`, data: EMPTY })))),
)
kind('torch: storages', [2_000, 10_000, 60_000], (n) => {
  const tensors = times(n, (i) => [b.str(`t${i}`), b.tensor(String(i), [1])]).flat()
  return hf(
    'pytorch_model.bin',
    b.torchZip(
      b.pickle('}(', tensors, 'u'),
      times(n, () => Buffer.alloc(4)),
    ),
  )
})

// NumPy, archives.

kind(
  'npz: arrays',
  [5_000, 20_000, 60_000],
  (n) => hf('model.npz', b.zip(times(n, (i) => ({ name: `t${i}.npy`, data: b.npy([0], EMPTY) })))),
  { open: 'model.npz' },
)
kind(
  'npz: compressed arrays beside a model',
  [2, 8, 32],
  (n) => {
    const own = hfTensors().map(([name, shape, data]) => ({
      name: `${name}.npy`,
      data: b.npy(shape, data),
      compress: true,
    }))
    const large = b.npy([4_000_000], Buffer.alloc(16_000_000))
    return hf('model.npz', b.zip([...own, ...times(n, (i) => ({ name: `x${i}.npy`, data: large, compress: true }))]))
  },
  { open: 'model.npz', largest: 16_000_000, unpacked: 16_000_128 },
)
const members = () => [
  { name: 'config.json', data: hfConfig() },
  { name: 'model.safetensors', data: b.safetensors(hfTensors()) },
]
const extra = (n) => times(n, (i) => ({ name: `f${i}/g${i}/x.txt`, data: EMPTY }))
kind('zip: entries', [2_000, 10_000, 60_000], (n) => ({ 'm.zip': b.zip([...members(), ...extra(n)]) }), {
  open: 'm.zip',
})
kind('tar: entries', [2_000, 10_000, 60_000], (n) => ({ 'm.tar': b.tar([...members(), ...extra(n)]) }), {
  open: 'm.tar',
})
kind(
  'zip: folders in one another',
  [8, 32, 30_000],
  (n) => ({
    'm.zip': b.zip(members().map(({ name, data }) => ({ name: 'a/'.repeat(n) + name, data }))),
  }),
  { open: 'm.zip' },
)
kind(
  'zip: archives in one another',
  [2, 20, 300],
  (n) => ({
    'm.zip': times(n, (i) => i).reduce((data) => b.zip([{ name: 'm.zip', data }]), b.zip(members())),
  }),
  { open: 'm.zip' },
)
kind(
  'zip: archives side by side',
  [10, 100, 1_000],
  (n) => ({
    'm.zip': b.zip(times(n, (i) => ({ name: `m${i}.zip`, data: b.zip(members()) }))),
  }),
  { open: 'm.zip' },
)

// tfjs and ONNX.

const tfjs = (manifest) => ({
  'model.json': Buffer.from(JSON.stringify({ format: 'graph-model', weightsManifest: manifest })),
  'g.bin': EMPTY,
})
kind('tfjs: weights', [20_000, 30_000, 100_000], (n) =>
  tfjs([{ paths: ['g.bin'], weights: times(n, (i) => ({ name: `t${i}`, shape: [0], dtype: 'float32' })) }]),
)
kind('tfjs: shards', [1_000, 4_000, 200_000], (n) => tfjs([{ paths: times(n, (i) => `g${i}.bin`), weights: [] }]))
const onnx = (fields) => ({ 'model.onnx': cat(int(1, 9), len(7, cat(fields)), len(8, cat(len(1, ''), int(2, 17)))) })
kind('onnx: initializers', [20_000, 100_000, 500_000], (n) =>
  onnx(times(n, (i) => len(5, cat(int(1, 0), int(2, 1), len(8, `t${i}`))))),
)
kind('onnx: nodes', [20_000, 100_000, 500_000], (n) =>
  onnx(times(n, (i) => len(1, cat(len(1, `a${i}`), len(2, `b${i}`), len(4, 'Abs'))))),
)

// Configurations and texts.

const model = (more) => ({ ...hf('model.safetensors', b.safetensors(hfTensors())), ...more })
kind('configuration: fields', [10_000, 100_000, 1_000_000], (n) =>
  hf('model.safetensors', b.safetensors(hfTensors()), Object.fromEntries(times(n, (i) => [`k${i}`, 0]))),
)
kind('configuration: labels', [10_000, 50_000, 500_000], (n) =>
  hf('model.safetensors', b.safetensors(hfTensors()), { id2label: Object.fromEntries(times(n, (i) => [i, `l${i}`])) }),
)
kind('labels.txt: lines', [10_000, 100_000, 1_000_000], (n) =>
  model({ 'labels.txt': Buffer.from(times(n, (i) => `l${i}\n`).join('')) }),
)
const tokenized = (name) => ({ open: name, tokenize: true })
const first = VOCABULARY.slice(0, 5).join('\n')
kind(
  'vocab.txt: lines',
  [50_000, 300_000, 3_000_000],
  (n) => ({ 'vocab.txt': Buffer.from(`${first}\n${times(n, (i) => i.toString(36)).join('\n')}\n`) }),
  tokenized('vocab.txt'),
)
kind(
  'vocab.txt: a long line',
  [1_000_000, 10_000_000, 100_000_000],
  (n) => ({ 'vocab.txt': cat(first, '\n', Buffer.alloc(n, 0x61), '\n') }),
  tokenized('vocab.txt'),
)
const piece = (text, type) => len(1, cat(len(1, text), [0x15], u32(0xc0000000), type === undefined ? '' : int(3, type)))
const specials = () => [piece('<unk>', 2), piece('[CLS]', 3), piece('[SEP]', 3)]
kind(
  'spiece.model: pieces',
  [30_000, 300_000, 1_000_000],
  (n) => ({
    'spiece.model': cat(
      specials(),
      times(n, (i) => piece(i.toString(36))),
    ),
  }),
  tokenized('spiece.model'),
)
kind(
  'spiece.model: a long piece',
  [100_000, 1_000_000, 12_000_000],
  (n) => ({ 'spiece.model': cat(specials(), piece('abcdefghij'.repeat(n / 10))) }),
  tokenized('spiece.model'),
)
const wordPiece = (vocab, more = {}) => ({
  'tokenizer.json': Buffer.from(
    JSON.stringify({
      ...more,
      model: {
        type: 'WordPiece',
        unk_token: '[UNK]',
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 100,
        vocab,
      },
    }),
  ),
})
const words = (n) =>
  Object.fromEntries([...VOCABULARY.slice(0, 5), ...times(n, (i) => i.toString(36))].map((word, i) => [word, i]))
kind('tokenizer.json: tokens', [30_000, 200_000, 1_000_000], (n) => wordPiece(words(n)), tokenized('tokenizer.json'))
kind(
  'tokenizer.json: added tokens',
  [1_000, 10_000, 200_000],
  (n) =>
    wordPiece(words(10), {
      added_tokens: times(n, (i) => ({
        id: 15 + i,
        content: `<${i}>`,
        special: true,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
      })),
    }),
  tokenized('tokenizer.json'),
)

export { kinds }
