import type { LayerNorm, Parameter } from '../albert.js'
import type { Activation } from '../config.js'
import type { MatrixProduct } from './product.js'
import { ReferenceOps, type Tensor } from './reference.js'

const rounded = ({ shape, data }: Tensor): Tensor => ({ shape, data: data.map(Math.fround) })

/**
 * The reference with float32 instead of float64 between its operations, and products with kernels summed in float32
 * term after term. Its difference from the reference is the error of plain float32 arithmetic.
 */
export class Float32ReferenceOps extends ReferenceOps {
  protected override multiply({ x, w, size, y }: MatrixProduct): void {
    const sums = new Float32Array(size.outer)
    for (let r = 0; r < size.rows; r++) {
      sums.fill(0)
      for (let k = 0; k < size.inner; k++) {
        const value = x.data[x.start + r * x.row + k * x.column]!
        for (let o = 0, i = w.start + k * w.row; o < size.outer; o++, i += w.column) sums[o]! += value * w.data[i]!
      }
      y.data.set(sums, y.start + r * y.row)
    }
  }

  override linear(x: Tensor, kernel: Parameter, bias: Parameter | null): Tensor {
    return rounded(super.linear(x, kernel, bias))
  }

  override groupedLinear(x: Tensor, kernel: Parameter, bias: Parameter | null): Tensor {
    return rounded(super.groupedLinear(x, kernel, bias))
  }

  override linearTransposed(x: Tensor, weight: Parameter, bias: Parameter | null): Tensor {
    return rounded(super.linearTransposed(x, weight, bias))
  }

  override add(a: Tensor, b: Tensor): Tensor {
    return rounded(super.add(a, b))
  }

  override layerNorm(x: Tensor, norm: LayerNorm, epsilon: number): Tensor {
    return rounded(super.layerNorm(x, norm, epsilon))
  }

  override activation(x: Tensor, kind: Activation): Tensor {
    return rounded(super.activation(x, kind))
  }

  override scores(query: Tensor, key: Tensor, headSize: number): Tensor {
    return rounded(super.scores(query, key, headSize))
  }

  override softmax(x: Tensor): Tensor {
    return rounded(super.softmax(x))
  }

  override context(probabilities: Tensor, value: Tensor): Tensor {
    return rounded(super.context(probabilities, value))
  }
}
