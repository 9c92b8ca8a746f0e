import type { DType, TensorSource } from '../../src/formats/core/source.js'
import { parseConfig, type ModelConfig } from '../../src/model/config.js'
import { planModel, type ClassifierKinds, type ModelPlan } from '../../src/model/load/build.js'
import type { Identification } from '../../src/model/names/identification.js'
import { identify } from '../../src/model/names/identify.js'
import { fieldsOf, modelShapes, namedSource, SIZES, type ModelOptions } from './named-source.js'

/** A small model of a family, planned from names and shapes alone. */
export interface PlanOptions extends ModelOptions {
  readonly config?: Partial<ModelConfig>
  readonly kinds?: ClassifierKinds
  readonly dtypes?: Readonly<Record<string, DType>>
  /** Variables that the file lacks. */
  readonly without?: RegExp
}

export interface Planned extends ModelPlan {
  readonly source: TensorSource
  readonly found: Identification
}

/** The plan of the model that `title`'s code would store with these sizes and parts. */
export function plannedModel(title: string, options: PlanOptions = {}): Planned {
  const { config = {}, kinds = {}, dtypes = {}, without, ...model } = options
  const shapes = Object.entries(modelShapes(title, model)).filter(([name]) => without?.test(name) !== true)
  const source = namedSource(Object.fromEntries(shapes), { dtypes })
  const found = identify(source)
  const { family, architecture } = found.table
  const fields = fieldsOf({ ...SIZES, ...options.sizes })
  const { num_hidden_groups: _g, inner_group_num: _i, ...ungrouped } = fields
  const isUngrouped = family === 'zh' || architecture === 'bert'
  const parsed = parseConfig({ file: 'config.json', fields: isUngrouped ? ungrouped : fields }, family, architecture)
  return { source, found, ...planModel(source, found, { ...parsed, ...config }, kinds) }
}
