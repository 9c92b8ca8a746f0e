/**
 * The one interface between bytes and models. A reader of any container gives a `TensorSource`; everything after it
 * (names, model, export, compare) depends on this interface and on no file format.
 */

/** Element types by their safetensors names; the last three have no fixed width and are never weights. */
export type DType =
  | 'F64'
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'I64'
  | 'I32'
  | 'I16'
  | 'I8'
  | 'U64'
  | 'U32'
  | 'U16'
  | 'U8'
  | 'BOOL'
  | 'STRING'
  | 'VARIANT'
  | 'OTHER'

/** Bytes of one element; 0 if elements have no fixed width. */
export const DTYPE_BYTES: Readonly<Record<DType, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
  STRING: 0,
  VARIANT: 0,
  OTHER: 0,
}

/** Element types whose values a forward pass can use. */
export const isFloat = (dtype: DType): boolean =>
  dtype === 'F32' || dtype === 'F16' || dtype === 'BF16' || dtype === 'F64'

export interface TensorInfo {
  /** Name as the file spells it. */
  readonly name: string
  readonly dtype: DType
  /** Name of the element type in the file, if `dtype` is `OTHER`. */
  readonly spelling?: string
  /** Dimensions, outermost first; `[]` is a scalar. */
  readonly shape: readonly number[]
  /** Bytes of the whole tensor, row-major and little-endian, as `read` gives them. */
  readonly byteLength: number
  /** File that holds its first bytes; for error messages. */
  readonly file: string
  /** Quantisation step of element `i`; only for a quantised tensor, which `read` gives dequantised. */
  readonly stepAt?: (i: number) => number
}

/** A node of the graph that was saved with the weights. */
export interface GraphNode {
  readonly name: string
  /** Operation: `MatMul`, `Const` … */
  readonly op: string
  /** Names of the nodes that are its inputs. */
  readonly inputs: readonly string[]
  /** Values of a small constant; null for all other nodes. */
  numbers(): readonly number[] | null
}

/** The graph that was saved with the weights (of a `.meta` file, a SavedModel, or a frozen graph). */
export interface SourceGraph {
  readonly file: string
  /** Nodes in the order of the file, read again each time. @throws AlbertkitError `malformed` */
  nodes(): Iterable<GraphNode>
}

export interface TensorSource {
  /** Short name of the container: `tf-bundle`, `safetensors`, `onnx`, `tfjs` … */
  readonly format: string
  /** Every file that belongs to the source, in a fixed order: the files that the manifest hashes. */
  readonly files: readonly string[]
  /** All tensors by name, in the order of the file. A Map, so that `__proto__` is a name like any other. */
  readonly tensors: ReadonlyMap<string, TensorInfo>
  /** Remarks on the file for the user; none of them is an error. */
  readonly notes: readonly string[]
  /** Metadata stored in an artefact; not to be trusted. */
  readonly metadata?: ReadonlyMap<string, string>
  /** Absent files of a source that was opened with `allowMissingData`; reading from them throws. */
  readonly missingFiles?: readonly string[]
  /** Graph saved with the weights, if any: the computation of the program that wrote them. */
  readonly graph?: SourceGraph
  /**
   * Reads `target.length` bytes of tensor `name` from byte `offset` of the tensor (little-endian, row-major) into
   * `target`. Before the first bytes of a tensor are returned, its checksum is verified if the format has one and the
   * source was opened with `checksum`.
   * @throws AlbertkitError `malformed` naming file, tensor and byte offset
   */
  read(name: string, offset: number, target: Uint8Array): void
  /** Verifies the checksum of `name`; does nothing if the format has none or it was verified before. */
  verifyChecksum(name: string): void
  close(): void
}

export interface OpenOptions {
  /** Verify CRC-32C of table blocks and tensors; default true. */
  readonly checksum?: boolean
  /** Open although data files are absent, to list names and shapes; default false. */
  readonly allowMissingData?: boolean
}

/** Number of elements of a shape. */
export const elementCount = (shape: readonly number[]): number =>
  shape.includes(0) ? 0 : shape.reduce((n, d) => n * d, 1)

export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((d, i) => d === b[i])

/** Reads a whole tensor; for small tensors and tests. */
export function readAll(source: TensorSource, name: string): Uint8Array {
  const info = source.tensors.get(name)
  if (info === undefined) throw new RangeError(`no tensor named ${name}`)
  const bytes = new Uint8Array(info.byteLength)
  if (bytes.length > 0) source.read(name, 0, bytes)
  else source.verifyChecksum(name)
  return bytes
}
