import { malformed } from '../../base/errors.js'
import type { AlbertModel } from '../albert.js'
import type { ModelConfig, RawConfig } from '../config.js'

/** Agreement of a classifier's weights with the classes of the configuration. */

/** Placeholder names that transformers gives to unnamed classes. */
const PLACEHOLDER = /^LABEL_\d+$/

/**
 * The configuration with the labels of the classifier. Placeholder names (`LABEL_0`) are dropped if their number
 * differs from that of the classes; for real names that is an error.
 * @throws AlbertkitError `malformed` if the configuration has another number of classes than the weights
 */
export function settleLabels(
  raw: RawConfig,
  { config, classifier }: AlbertModel,
): { config: ModelConfig; notes: readonly string[] } {
  const same = { config, notes: [] }
  const classes = classifier?.weight.shape[0]
  // A multiple-choice head has one output for any number of choices.
  if (classifier === null || classes === undefined || classifier.kind === 'choice') return same
  const { id2label } = config
  const names = id2label === null ? null : Object.values(id2label)
  const field = names === null ? 'num_labels' : 'id2label'
  const count = names?.length ?? raw.fields.num_labels
  if (typeof count !== 'number' || count === classes) return same
  if (names?.every((name) => PLACEHOLDER.test(name)) === true) {
    const note =
      `id2label has ${count} labels without names, but the classifier has ${classes} classes: ` + 'they are left out'
    return { config: { ...config, id2label: null }, notes: [note] }
  }
  throw malformed(`${field} ${names === null ? 'is' : 'has'} ${count}, but the classifier has ${classes} classes`, {
    code: 'labels-mismatch',
    file: raw.file,
    field,
    tensor: classifier.weight.variable,
    hint:
      `${classifier.weight.variable} has shape ` +
      `[${classifier.weight.shape.join(', ')}]; ${classes} labels would fit`,
  })
}
