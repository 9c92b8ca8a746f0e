import { unsupported, usage } from '../../base/errors.js'
import { isFloat, type TensorInfo, type TensorSource } from '../../formats/core/source.js'
import type { Identification } from '../names/identification.js'
import type { NameRow } from '../names/row.js'
import { leftoverOf } from './leftover.js'

/**
 * A dense layer outside the encoder whose names belong to no family (`fc.weight`, `project/logits/W`), taken as the
 * classifier of the model: kernel and bias are found by name and shape.
 */
interface DenseHead {
  /** Common prefix of the names of kernel and bias. */
  readonly name: string
  readonly kernel: TensorInfo
  /** Null if the layer has none. */
  readonly bias: TensorInfo | null
  /** True if the kernel is stored `[hidden size, classes]`. */
  readonly transposed: boolean
}

/** Hidden size according to the weights: the width of an output bias of attention; null if there is none. */
function hiddenWidth(source: TensorSource, found: Identification): number | null {
  const mapped = [...found.mapped.values()].find(({ slot }) => slot.endsWith('/attention/output/bias'))
  return mapped === undefined ? null : (source.tensors.get(mapped.variable)?.shape[0] ?? null)
}

/** Last segments of kernels that are stored `[in, out]`, as TensorFlow's `x·W` takes them. */
const INPUT_FIRST = /(^|[./_])(kernel|w|weights?_mat|matrix)$/i

/** Number of classes and order of a kernel; null if it does not take `width` features. */
function readKernel(
  { name, shape, dtype }: TensorInfo,
  width: number,
): { classes: number; transposed: boolean } | null {
  const [first, second] = shape
  if (!isFloat(dtype) || shape.length !== 2 || first === undefined || second === undefined) return null
  const inputFirst = first === width && (second !== width || INPUT_FIRST.test(name))
  if (inputFirst) return { classes: second, transposed: true }
  return second === width ? { classes: first, transposed: false } : null
}

/** Name without its last segment: `fc` of `fc.weight`, `fc_w` and `fc/weights_mat`. */
const parentOf = (name: string): string => name.replace(/[./_]?(?:weights?_mat|[^./_]*)$/i, '')

/** The dense layers among `names`: each kernel that has a bias, or each that has none. */
function denseAmong(source: TensorSource, names: readonly string[], width: number, hasBias: boolean): DenseHead[] {
  const infos = names.flatMap((name) => source.tensors.get(name) ?? [])
  return infos.flatMap((kernel): DenseHead[] => {
    const read = readKernel(kernel, width)
    if (read === null) return []
    const parent = parentOf(kernel.name)
    const vectors = infos.filter(({ name, shape }) => shape.length === 1 && parentOf(name) === parent)
    const bias = vectors.find(({ shape, dtype }) => isFloat(dtype) && shape[0] === read.classes) ?? null
    // A layer with a vector that is no bias of it computes something else.
    const isWanted = hasBias ? bias !== null : vectors.length === 0
    return isWanted ? [{ name: parent, kernel, bias, transposed: read.transposed }] : []
  })
}

/** Names that `head` takes: those of the dense layers over the hidden size that the model leaves out. */
export function denseHeads(source: TensorSource, found: Identification): string[] {
  const width = hiddenWidth(source, found)
  if (width === null) return []
  const { outside } = leftoverOf(source, found)
  const heads = outside.filter((name) => !INNER.test(name))
  return denseAmong(source, heads, width, true)
    .map(({ name }) => name)
    .slice(0, SUGGESTED)
}
/** Names within another encoder. */
const INNER = /(^|[./])(encoder|layers?|attention|pooler|embeddings)([./_]|$)/
/** Heads that a message names. */
const SUGGESTED = 4

/** What stands before the names of the encoder: nothing, and the scopes that it is in (`module.`). */
function outerScopes({ mapped }: Identification): string[] {
  const prefix = [...mapped.values()].find(({ row }) => row.prefixed)?.prefix ?? ''
  const parts = prefix.split(/(?<=[./])/)
  return parts.map((_, i) => parts.slice(0, i).join(''))
}

/** Names of heads that label tokens. */
const TOKEN_HEAD = /(^|[./_-])(ner|tag(ger|s|ging)?|slots?|token|bio|pos|seg|crf|entity)([./_-]|\d|$)/i

const rowsOf = ({ name, transposed }: DenseHead): readonly [NameRow, NameRow] => {
  const common = { prefixed: false, layout: 'as_is' as const }
  const classifies = TOKEN_HEAD.test(name) ? { classifies: 'token' as const } : {}
  return [
    {
      ...common,
      ...classifies,
      slot: 'classifier/output_weights',
      name: 'classifier/output_weights',
      dims: ['N', 'H'],
      layout: transposed ? 'transposed' : 'as_is',
    },
    { ...common, slot: 'classifier/output_bias', name: 'classifier/output_bias', dims: ['N'] },
  ]
}

/**
 * Takes the dense layer `head` as the classifier, in place of one that the model has.
 * @param head prefix of the names of its kernel and bias, or the name of its kernel
 * @throws AlbertkitError `usage` if there is no such name, `unsupported` if it is not a dense layer over the hidden
 * size
 */
export function takeHead(
  source: TensorSource,
  found: Identification,
  head: string,
): { readonly found: Identification; readonly notes: readonly string[] } {
  const { outside } = leftoverOf(source, found)
  const below = (start: string): string[] =>
    outside.filter((name) => name.startsWith(start) && /^([./_]|$)/.test(name.slice(start.length)))
  const prefix = outerScopes(found).find((scope) => below(scope + head).length > 0) ?? ''
  const own = below(prefix + head)
  const width = hiddenWidth(source, found) ?? 0
  const file = source.files[0] ?? ''
  const [first] = own
  if (first === undefined)
    throw usage(`the file has no head ${head}`, {
      code: 'name-unknown',
      file,
      hint: outside.length === 0 ? 'the model uses every variable of the file' : `left out are ${outside.join(', ')}`,
    })
  const isKernel = own.includes(prefix + head)
  const layers = (hasBias: boolean): DenseHead[] =>
    denseAmong(source, isKernel ? outside : own, width, hasBias).filter(
      ({ kernel }) => !isKernel || kernel.name === prefix + head,
    )
  const withBias = layers(true)
  const heads = withBias.length > 0 ? withBias : layers(false)
  const [only, second] = heads
  if (only === undefined || second !== undefined) {
    const shapeOf = (name: string): string => source.tensors.get(name)?.shape.join(', ') ?? ''
    const shapes = own.slice(0, SUGGESTED).map((name) => `${name} [${shapeOf(name)}]`)
    throw unsupported(
      only === undefined
        ? `${head} is no dense layer over the hidden size ${width}: ${shapes.join(', ')}`
        : `${head} has several dense layers: ${heads.map(({ name }) => name).join(', ')}`,
      {
        code: 'architecture-unsupported',
        file,
        tensor: first,
        hint: 'a head has a kernel of [classes, hidden size] or [hidden size, classes], and often a bias of [classes]',
      },
    )
  }
  const [kernelRow, biasRow] = rowsOf(only)
  const mapped = new Map([...found.mapped].filter(([slot]) => !slot.startsWith('classifier/')))
  const left = [...found.mapped.values()].filter(({ slot }) => slot.startsWith('classifier/'))
  const names = [only.kernel.name, ...(only.bias === null ? [] : [only.bias.name])]
  for (const [i, variable] of names.entries()) {
    const row = i === 0 ? kernelRow : biasRow
    mapped.set(row.slot, { row, slot: row.slot, indices: {}, prefix: '', variable })
  }
  const taken = new Set(names)
  return {
    found: {
      ...found,
      mapped,
      unknown: found.unknown.filter((name) => !taken.has(name)),
      skipped: [
        ...found.skipped,
        ...left.map(({ variable }) => ({ variable, reason: `not used: ${head} is the classifier` })),
      ],
    },
    notes: [`${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'} taken as the classifier, as asked`],
  }
}
