import { elementCount, type TensorSource } from '../../formats/core/source.js'
import type { Identification } from '../../model/names/identification.js'
import type { VariableReport } from './report.js'

/** Every variable of a file, with its slot. */
export function listVariables(source: TensorSource, { mapped }: Identification): VariableReport[] {
  const slots = new Map([...mapped.values()].map((m) => [m.variable, m.slot]))
  return [...source.tensors.values()].map(({ name, dtype, shape, byteLength }) => ({
    name,
    dtype,
    shape,
    parameters: elementCount(shape),
    bytes: byteLength,
    slot: slots.get(name) ?? null,
  }))
}
