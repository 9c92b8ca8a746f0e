import type { Precision, Target } from '../base/artefact-layout.js'
import { usage } from '../base/errors.js'
import { TARGETS, takesOption, targetInfo, type TargetOptionName } from './targets.js'

/** Options by name; false counts as absent. */
export type GivenOptions = Readonly<Partial<Record<TargetOptionName, string | number | boolean | undefined>>>

/** Checks of targets, precisions and options, shared by `convertModel` and `exportModel`. */

/** @throws AlbertkitError `usage` if the target has no such precision */
export function checkPrecision(target: Target, precision: Precision): void {
  const { precisions, title } = targetInfo(target)
  if (precisions.includes(precision)) return
  if (precisions.length > 0)
    throw usage(`${target} has no ${precision}`, {
      code: 'option-conflict',
      hint: `${target} has ${precisions.join(', ')}; a target may have its own: \`targets\` onnx:f32,int8`,
    })
  const others = TARGETS.filter((row) => row.precisions.length > 0).map(({ name }) => name)
  throw usage(`\`dtypes\` goes with \`targets\` ${others.join(', ')}, not ${target}`, {
    code: 'option-conflict',
    hint: `a ${title} keeps the source's element types`,
  })
}

/** Text that lists the targets, with their precisions, that take an option. */
function takersOf(name: TargetOptionName): string {
  const takers = TARGETS.flatMap((row) =>
    row.options
      .filter((option) => option.name === name)
      .map(({ precisions }) =>
        precisions === undefined
          ? `\`targets\` ${row.name}`
          : `\`targets\` ${row.name} with \`dtypes\` ${precisions.join(' or ')}`,
      ),
  )
  return takers.join(', or ')
}

/**
 * @param requests targets and precisions to be written
 * @throws AlbertkitError `usage` if none of them takes an option that was given, or if its value is not supported
 */
export function checkTargetOptions(
  requests: readonly { readonly target: Target; readonly precision: Precision }[],
  given: GivenOptions,
): void {
  const rows = TARGETS.filter(({ name }) => requests.some(({ target }) => target === name))
  for (const [name, value] of Object.entries(given) as [TargetOptionName, GivenOptions[TargetOptionName]][]) {
    if (value === undefined || value === false) continue
    const takers = requests.filter(({ target, precision }) => takesOption(targetInfo(target), precision, name))
    if (takers.length === 0) throw usage(`\`${name}\` is for ${takersOf(name)}`, { code: 'option-conflict' })
    const rules = rows.flatMap(({ options }) => options.filter((option) => option.name === name))
    if (rules.some(({ alone }) => alone === true) && takers.length < requests.length)
      throw usage(`\`${name}\` ${String(value)} goes with ${takersOf(name)} alone`, {
        code: 'option-conflict',
        hint:
          `convert with \`${name}\` ${String(value)} into a separate directory, then convert that one to the other ` +
          'formats',
      })
    const values = rules.find((rule) => rule.values !== undefined)?.values
    if (values !== undefined && !values.includes(value))
      throw usage(`unsupported ${name} ${String(value)}`, {
        code: 'option-invalid',
        hint: `\`${name}\` is one of ${values.join(', ')}`,
      })
  }
}
