import { omitUndefined } from '../../base/omit-undefined.js'
import { passedFields } from '../../export/checkpoint/config.js'
import type { OpenedModel } from '../open/open.js'

/** Fields of the source's configuration that pass to written ones, with the problem that its head shows. */
export const passedOf = ({
  rawConfig,
  config,
}: Pick<OpenedModel, 'rawConfig' | 'config'>): Record<string, unknown> => ({
  ...passedFields(rawConfig.fields),
  ...omitUndefined({ problem_type: config.problem_type }),
})
