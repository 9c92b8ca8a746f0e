import { malformed } from '../../base/errors.js'
import type { AlbertModel } from '../albert.js'
import type { ModelConfig, RawConfig } from '../config.js'

/** Agreement of a classifier's weights with what the configuration says of classes. */

/** Placeholder names that transformers gives to unnamed classes. */
const PLACEHOLDER = /^LABEL_\d+$/

/**
 * The configuration with the labels that belong to the classifier. Names that nobody gave (`LABEL_0`) are left out
 * if their number is another; names that somebody gave are not.
 * @throws AlbertkitError `malformed` if the configuration has another number of classes than the weights
 */
export function settleLabels(
  raw: RawConfig,
  { config, classifier }: AlbertModel,
): { config: ModelConfig; notes: readonly string[] } {
  const same = { config, notes: [] }
  const classes = classifier?.weight.shape[0]
  // A multiple-choice head has one output, whatever the number of choices.
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
