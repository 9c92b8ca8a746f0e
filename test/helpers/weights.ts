import { openModel } from '../../src/api/open/open.js'
import { parametersOf, readLogical } from '../../src/model/tensors/read.js'

/** Every parameter of a model by its slot, as the forward pass means it. */
export async function weightsOf(path: string): Promise<Map<string, Float32Array>> {
  const opened = await openModel(path)
  try {
    return new Map([...parametersOf(opened.model)].map((p) => [p.slot, readLogical(opened.source, p)]))
  } finally {
    opened.close()
  }
}
