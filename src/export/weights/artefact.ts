import type { ElementOrder } from '../../base/artefact-layout.js'
import { elementCount } from '../../formats/core/source.js'
import type { Parameter } from '../../model/albert.js'
import { elementBytes, type Encoding } from './encoding.js'

/** A weight of an artefact; its name there is the parameter's slot. */
export interface WrittenWeight {
  readonly slot: string
  readonly parameter: Parameter
  readonly as: ElementOrder
  /** Shape in the artefact. */
  readonly shape: readonly number[]
  readonly encoding: Encoding
}

/** A file of an artefact. */
export interface WrittenFile {
  /** Relative to the output directory, with `/`. */
  readonly path: string
  readonly bytes: number
}

/** What writing one artefact gives. */
export interface WrittenArtefact {
  readonly files: readonly WrittenFile[]
  /** Bytes of the weights alone, without the graph and its constants. */
  readonly weightBytes: number
  readonly weights: readonly WrittenWeight[]
  /** Names of the outputs in the order of the file. */
  readonly outputs: readonly string[]
  /** Name in the file (ONNX value, tfjs node) of every value that the forward pass marked, e.g. `hidden_state_3`. */
  readonly marks: Readonly<Record<string, string>>
}

/** What a writer calls while it works. */
export interface WriteEvents {
  /** Bytes of weights written so far, and in all. */
  readonly onProgress?: (done: number, total: number) => void
  /** A file of about `bytes` is there and will be written from start to end: absolute path. */
  readonly onStart?: (path: string, bytes: number) => void
  /** A file is complete: absolute path. */
  readonly onFile?: (path: string) => void
}

/** A parameter in the form it gets in an artefact. */
export function writtenWeight(parameter: Parameter, as: ElementOrder, encoding: Encoding): WrittenWeight {
  const shape = as === 'stored' ? parameter.storedShape : parameter.shape
  return { slot: parameter.slot, parameter, as, shape, encoding }
}

/** Bytes of the elements of a weight. */
export const elementsBytes = ({ shape, encoding }: WrittenWeight): number =>
  elementCount(shape) * elementBytes(encoding)

/** Bytes of weights with the scales that belong to them. */
export const weightsBytes = (weights: readonly WrittenWeight[]): number =>
  weights.reduce((sum, weight) => {
    const { encoding } = weight
    return sum + elementsBytes(weight) + (encoding.kind === 'int8' ? encoding.scales.byteLength : 0)
  }, 0)
