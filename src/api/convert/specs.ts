import { artefactKey, hasFilePerPrecision, type Precision, type Target } from '../../base/artefact-layout.js'
import { parseTargetChoice } from '../../base/target-choice.js'
import { usage } from '../../base/errors.js'
import { checkPrecision } from '../../export/check-options.js'
import { targetInfo } from '../../export/targets.js'
import type { WrittenArtefact } from '../../export/weights/artefact.js'
import type { GateReport } from '../gate/gate.js'

/** Artefact to write: target and precision. */
export interface ArtefactSpec {
  /** Key in the manifest. */
  readonly key: string
  readonly target: Target
  readonly precision: Precision
  /** True if the precision was asked for; otherwise a checkpoint keeps the element types of its source. */
  readonly isAsked: boolean
}

/** A written artefact and its gate report. */
export interface ConvertedArtefact extends ArtefactSpec {
  readonly artefact: WrittenArtefact
  readonly gate: GateReport | null
}

/** Element types by target: those of its choices, else `dtypes`. */
function precisionsOf(choices: readonly string[], dtypes: readonly Precision[]): Map<Target, Set<Precision>> {
  const found = new Map<Target, Set<Precision>>()
  for (const choice of choices) {
    const { target, precisions } = parseTargetChoice(choice)
    const own = found.get(target) ?? new Set()
    for (const precision of precisions ?? dtypes) own.add(precision)
    found.set(target, own)
  }
  return found
}

/**
 * Artefacts for the given targets and element types. A target with one file per precision may have several, every other
 * target has one.
 * @param choices targets, each with optional element types: `tfjs`, `onnx:f32,int8`
 * @param dtypes element types of the targets without
 * @throws AlbertkitError `usage` if a target has no such element type
 */
export function artefactSpecs(choices: readonly string[], dtypes: readonly Precision[] = []): ArtefactSpec[] {
  return [...precisionsOf(choices, dtypes)].flatMap(([target, precisions]): ArtefactSpec[] => {
    const asked = [...precisions]
    if (asked.length === 0) return [{ key: target, target, precision: 'f32', isAsked: false }]
    for (const precision of asked) checkPrecision(target, precision)
    if (asked.length > 1 && !hasFilePerPrecision(targetInfo(target)))
      throw usage(`${target} takes one element type, not ${asked.join(' and ')}`, {
        code: 'option-conflict',
        hint: `convert to ${target} once for each, into separate directories`,
      })
    return asked.map((precision) => ({ key: artefactKey(target, precision), target, precision, isAsked: true }))
  })
}
