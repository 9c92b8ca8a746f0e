import { artefactKey, hasFilePerPrecision, type Precision, type Target } from '../../base/artefact-layout.js'
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
}

/** A written artefact and its gate report. */
export interface ConvertedArtefact extends ArtefactSpec {
  readonly artefact: WrittenArtefact
  readonly gate: GateReport | null
}

/**
 * Artefacts for the given targets and element types. A target with one file per precision may have several, every other
 * target has one.
 * @throws AlbertkitError `usage` if a target has no such element type
 */
export function artefactSpecs(targets: readonly Target[], dtypes: readonly Precision[] = []): ArtefactSpec[] {
  const asked = [...new Set(dtypes)]
  return [...new Set(targets)].flatMap((target): ArtefactSpec[] => {
    if (asked.length === 0) return [{ key: target, target, precision: 'f32' }]
    for (const precision of asked) checkPrecision(target, precision)
    if (asked.length > 1 && !hasFilePerPrecision(targetInfo(target)))
      throw usage(`${target} takes one element type, not ${asked.join(' and ')}`, {
        code: 'option-conflict',
        hint: `convert to ${target} once for each, into separate directories`,
      })
    return asked.map((precision) => ({ key: artefactKey(target, precision), target, precision }))
  })
}
