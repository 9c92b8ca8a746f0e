import { readFileSync } from 'node:fs'
import { malformed } from '../../base/errors.js'
import { headOf, type TfliteHead } from '../../formats/tflite/head.js'
import type { ModelInputs } from '../../model/reference/run.js'
import { firstLine } from '../runner.js'
import { addedOutputs, type InnerValues } from '../values.js'
import { closeShapes, withOutputs } from './patch.js'
import { refuseLonger, type FixedShape } from './rows.js'

/** Name of the table of positions: its slot. */
const POSITIONS = 'embeddings/position_embeddings'

/** A TensorFlow Lite file as the runners need it: with the values that were asked for among its outputs. */
export class TfliteFile {
  readonly #bytes: Uint8Array
  readonly #batch: number
  /** Tokens of a row; null if any number will do. */
  readonly sequence: number | null
  readonly #choices: boolean
  /** Rows of the table of positions. */
  readonly longest: number
  /** Names of the outputs that the file has by itself. */
  readonly outputs: readonly string[]

  /** @throws AlbertkitError `malformed` if it cannot be read */
  constructor(
    readonly path: string,
    values: Partial<InnerValues>,
  ) {
    const bytes = readModel(path)
    const head = headOf(path, bytes)
    const dims = idsOf(path, head)
    const [batch = 1, sequence = 1] = dims.slice(-2)
    this.#batch = batch
    this.sequence = sequence < 0 ? null : sequence
    this.#choices = dims.length === 3
    this.longest = head.tensors.find(({ name }) => name === POSITIONS)?.dims[0] ?? sequence
    this.outputs = [...head.outputs.keys()]
    this.#bytes = withOutputs(bytes, addedOutputs(values))
  }

  /** Shape to run inputs with. @throws AlbertkitError `usage` if they are longer than the file takes */
  shapeFor({ sequence }: Pick<ModelInputs, 'sequence'>): FixedShape {
    refuseLonger(this.path, { sequence }, this.sequence)
    return { batch: this.#batch, sequence: this.sequence ?? sequence, choices: this.#choices }
  }

  /** Contents of the file for inputs of that shape: a runtime may take no open axis. */
  bytesFor({ sequence }: FixedShape): Uint8Array {
    if (this.sequence !== null) return this.#bytes
    const closed = this.#bytes.slice()
    closeShapes(closed, sequence)
    return closed
  }
}

function readModel(file: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch (error) {
    throw malformed(`not a readable model: ${firstLine(error)}`, { code: 'file-unreadable', file, cause: error })
  }
}

/** Dimensions of input_ids. @throws AlbertkitError `malformed` if the graph has another signature */
function idsOf(file: string, head: TfliteHead): readonly number[] {
  const dims = head.inputs.get('input_ids')?.dims
  if (dims !== undefined && dims.length >= 2 && head.inputs.size === 3) return dims
  throw malformed('the graph has other inputs than input_ids, attention_mask and token_type_ids', {
    code: 'artefact-rejected',
    file,
    hint: 'it was not written by albertkit',
  })
}
