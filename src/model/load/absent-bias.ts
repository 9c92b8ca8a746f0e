import { isFloat, type TensorInfo, type TensorSource } from '../../formats/core/source.js'
import type { Identification, MappedVariable } from '../names/identification.js'

/**
 * Heads without a bias (`nn.Linear(bias=False)`). transformers takes zeros for the bias that a file lacks, and so does
 * albertkit: the source gets a variable of zeros, so that all that is written has it.
 */

const HEADS = ['classifier', 'qa'] as const

/** `source` with more float32 variables, of zeros. */
function withZeros(source: TensorSource, more: readonly TensorInfo[]): TensorSource {
  const added = new Set(more.map(({ name }) => name))
  return {
    ...source,
    tensors: new Map([...source.tensors, ...more.map((info): [string, TensorInfo] => [info.name, info])]),
    read: (name, offset, target) => {
      if (added.has(name)) target.fill(0)
      else source.read(name, offset, target)
    },
    verifyChecksum: (name) => {
      if (!added.has(name)) source.verifyChecksum(name)
    },
    close: () => {
      source.close()
    },
  }
}

/** Bias of zeros for a kernel; null if there is no kernel, it is none, or another tensor has the name. */
function zeroBias(source: TensorSource, kernel: MappedVariable | undefined): TensorInfo | null {
  const info = source.tensors.get(kernel?.variable ?? '')
  if (kernel === undefined || info?.shape.length !== 2 || !isFloat(info.dtype)) return null
  const name = info.name.replace(/[^./_]*$/, 'bias')
  const classes = info.shape[kernel.row.layout === 'transposed' ? 1 : 0] ?? 0
  if (source.tensors.has(name)) return null
  return { name, dtype: 'F32', shape: [classes], byteLength: 4 * classes, file: info.file }
}

/** A source and its identification with a bias of zeros for each head that has a kernel alone; notes name them. */
export function completeBiases(
  source: TensorSource,
  found: Identification,
): { readonly source: TensorSource; readonly found: Identification; readonly notes: readonly string[] } {
  const mapped = new Map(found.mapped)
  const more: TensorInfo[] = []
  const notes: string[] = []
  for (const head of HEADS) {
    const slot = `${head}/output_bias`
    const kernel = mapped.get(`${head}/output_weights`)
    const bias = mapped.has(slot) ? null : zeroBias(source, kernel)
    if (kernel === undefined || bias === null) continue
    more.push(bias)
    const row = { slot, name: slot, dims: ['N'], layout: 'as_is', prefixed: false } as const
    mapped.set(slot, { row, slot, indices: {}, prefix: '', variable: bias.name })
    notes.push(`${kernel.variable} has no bias: ${bias.name} is taken as zeros`)
  }
  return more.length === 0
    ? { source, found, notes }
    : { source: withZeros(source, more), found: { ...found, mapped }, notes }
}
