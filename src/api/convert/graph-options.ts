import type { GraphTarget, Precision } from '../../base/artefact-layout.js'
import type { ExportOptions } from '../../export/options.js'
import { takesOption, targetInfo, type TargetOptionName } from '../../export/targets.js'
import type { Conversion } from './conversion.js'

interface GraphSpec {
  readonly target: GraphTarget
  readonly precision: Precision
}

/** Options of one graph: those of the conversion that its target and precision take. */
export const graphOptions = (
  { options, task, packed }: Pick<Conversion, 'options' | 'task' | 'packed'>,
  spec: GraphSpec,
): ExportOptions => {
  const { precision } = spec
  const target = targetInfo(spec.target)
  const { opset, externalData, halfCompute, sequence, rows, inline } = options
  const { weightsOnly = false, keepEmbeddings = false } = options
  const taken = Object.entries({ opset, externalData, halfCompute, sequence, rows, inline, packed }).filter(
    ([name, value]) =>
      value !== undefined && value !== false && takesOption(target, precision, name as TargetOptionName),
  )
  return {
    task,
    allOutputs: options.allOutputs ?? false,
    precision,
    precisionOptions: { weightsOnly, keepEmbeddings },
    ...Object.fromEntries(taken),
  }
}
