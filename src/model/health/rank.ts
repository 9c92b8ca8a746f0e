import { elementCount, type TensorSource } from '../../formats/core/source.js'
import type { Parameter } from '../albert.js'
import { readLogical, readStored } from '../tensors/read.js'

/** Estimates of the rank of a matrix. */
export interface RankEstimate {
  /** Rows and columns of the matrix. */
  readonly shape: readonly [rows: number, columns: number]
  /** The largest that it could be: the smaller of the dimensions that it is made of. */
  readonly possible: number
  /** Singular values above float32's rounding: those larger than `max(rows, columns) · 2⁻²³` of the largest. */
  readonly numerical: number
  /** `‖A‖²_F / ‖A‖²₂`: number of directions as strong as the strongest with the same energy. */
  readonly stable: number
  /** `exp(H(σ / Σσ))` (Roy and Vetterli 2007): number of equally used directions with the same entropy. */
  readonly effective: number
  /** Singular values, the largest first. */
  readonly singular: readonly number[]
}

/** A wider table's eigenvalues take minutes. */
export const WIDEST = 2048
const ROWS = 1024

type Square = Float64Array[]

/** `AᵀA [E, E]` of a stored table `[V, E]`, read by a few rows at a time. */
function gram(source: TensorSource, table: Parameter): Square {
  const [rows = 0, width = 0] = table.shape
  const sums = Array.from({ length: width }, () => new Float64Array(width))
  const buffer = new Float32Array(Math.min(ROWS, rows) * width)
  for (let first = 0; first < rows; first += ROWS) {
    const block = buffer.subarray(0, Math.min(ROWS, rows - first) * width)
    readStored(source, table, first * width, block)
    for (let start = 0; start < block.length; start += width) {
      for (let i = 0; i < width; i++) {
        const x = block[start + i]!
        const row = sums[i]!
        for (let j = i; j < width; j++) row[j]! += x * block[start + j]!
      }
    }
  }
  for (let i = 0; i < width; i++) for (let j = 0; j < i; j++) sums[i]![j] = sums[j]![i]!
  return sums
}

/** `P·Pᵀ [E, E]` of a projection `P [E, H]`. */
function outerGram(source: TensorSource, projection: Parameter): Square {
  const [inner = 0, outer = 0] = projection.shape
  const p = readLogical(source, projection)
  const sums = Array.from({ length: inner }, () => new Float64Array(inner))
  for (let i = 0; i < inner; i++)
    for (let j = i; j < inner; j++) {
      let sum = 0
      for (let k = 0; k < outer; k++) sum += p[i * outer + k]! * p[j * outer + k]!
      sums[i]![j] = sums[j]![i] = sum
    }
  return sums
}

function estimate(squares: ArrayLike<number>, rows: number, columns: number): RankEstimate {
  const singular = Array.from(squares, (x) => Math.sqrt(Math.max(0, x))).sort((a, b) => b - a)
  const [largest = 0] = singular
  const total = singular.reduce((a, b) => a + b, 0)
  const energy = singular.reduce((sum, x) => sum + x * x, 0)
  const entropy = singular.reduce((sum, x) => (x > 0 ? sum - (x / total) * Math.log(x / total) : sum), 0)
  const least = largest * Math.max(rows, columns) * 2 ** -23
  return {
    shape: [rows, columns],
    possible: Math.min(rows, columns, singular.length),
    numerical: singular.filter((x) => x > least).length,
    stable: largest === 0 ? 0 : energy / largest ** 2,
    effective: total === 0 ? 0 : Math.exp(entropy),
    singular: singular.slice(0, Math.min(rows, columns)),
  }
}

export interface WordRanks {
  /** Of the word embeddings `[V, E]`. */
  readonly word: RankEstimate
  /** Of word embeddings times projection `[V, H]`; null if there is none. */
  readonly product: RankEstimate | null
}

/**
 * Ranks of the word embeddings and of their product with the projection to the hidden width, from Gram matrices: the
 * product's non-zero eigenvalues are those of `G½·PPᵀ·G½`, `G = WᵀW`, so that nothing larger than `[E, E]` is made.
 * @returns null if the table is wider than `WIDEST` or empty
 */
export async function wordRanks(
  source: TensorSource,
  word: Parameter,
  projection: Parameter | null,
): Promise<WordRanks | null> {
  const [rows = 0, width = 0] = word.shape
  if (width > WIDEST || elementCount(word.shape) === 0) return null
  const { EigenvalueDecomposition, Matrix } = await import('ml-matrix')
  const decompose = (matrix: InstanceType<typeof Matrix>) =>
    new EigenvalueDecomposition(matrix, { assumeSymmetric: true })
  const { realEigenvalues, eigenvectorMatrix } = decompose(new Matrix(gram(source, word)))
  const found = estimate(realEigenvalues, rows, width)
  if (projection === null) return { word: found, product: null }
  const roots = Matrix.diag(realEigenvalues.map((x) => Math.sqrt(Math.max(0, x))))
  const half = eigenvectorMatrix.mmul(roots).mmul(eigenvectorMatrix.transpose())
  const inner = half.mmul(new Matrix(outerGram(source, projection))).mmul(half)
  // Rounding leaves it a little less than symmetric.
  const symmetric = inner.clone().add(inner.transpose()).mul(0.5)
  const product = estimate(decompose(symmetric).realEigenvalues, rows, projection.shape[1] ?? 1)
  return { word: found, product }
}
