import type { ElementOrder } from '../../base/artefact-layout.js'
import { elementCount } from '../../formats/core/source.js'
import type { Parameter } from '../../model/albert.js'
import { encodedBytes, type Encoding } from './encoding.js'

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
  /** Path relative to the output directory, separated by `/`. */
  readonly path: string
  readonly bytes: number
}

/** Result of writing one artefact. */
export interface WrittenArtefact {
  readonly files: readonly WrittenFile[]
  /** Bytes of the weights alone, without the graph and its constants. */
  readonly weightBytes: number
  readonly weights: readonly WrittenWeight[]
  /** Names of the outputs in file order. */
  readonly outputs: readonly string[]
  /** Name in the file (ONNX value, tfjs node) of every value that the forward pass marked, e.g. `hidden_state_3`. */
  readonly marks: Readonly<Record<string, string>>
}

/** Callbacks of a writer. */
export interface WriteEvents {
  /** Called with the bytes of weights written so far and in total. */
  readonly onProgress?: (done: number, total: number) => void
  /** Called when a file of about `bytes` was created and will be written from start to end; absolute path. */
  readonly onStart?: (path: string, bytes: number) => void
  /** Called when a file is complete; absolute path. */
  readonly onFile?: (path: string) => void
}

/** Describes a parameter as it is stored in an artefact. */
export function writtenWeight(parameter: Parameter, as: ElementOrder, encoding: Encoding): WrittenWeight {
  const shape =
    as === 'stored' ? parameter.storedShape : as === 'logical' ? parameter.shape : [...parameter.shape].reverse()
  return { slot: parameter.slot, parameter, as, shape, encoding }
}

/** Bytes of the elements of a weight. */
export const elementsBytes = ({ shape, encoding }: WrittenWeight): number => encodedBytes(encoding, elementCount(shape))

/** Bytes of weights including their scales. */
export const weightsBytes = (weights: readonly WrittenWeight[]): number =>
  weights.reduce((sum, weight) => {
    const { encoding } = weight
    return sum + elementsBytes(weight) + ('scales' in encoding ? encoding.scales.byteLength : 0)
  }, 0)
