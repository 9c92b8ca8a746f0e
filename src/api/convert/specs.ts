import { artefactKey, hasFilePerPrecision, type Precision, type Target } from '../../base/artefact-layout.js'
import { usage } from '../../base/errors.js'
import { checkPrecision } from '../../export/check-options.js'
import { targetInfo } from '../../export/targets.js'
import type { WrittenArtefact } from '../../export/weights/artefact.js'
import type { GateReport } from '../gate/gate.js'

/** One artefact that a conversion writes. */
export interface ArtefactSpec {
  /** Key in the manifest. */
  readonly key: string
  readonly target: Target
  readonly precision: Precision
}

/** An artefact that was written, and the gate's report of it. */
export interface ConvertedArtefact extends ArtefactSpec {
  readonly artefact: WrittenArtefact
  readonly gate: GateReport | null
}

/**
 * The artefacts that targets and element types ask for. A target with a file for each precision can have several beside
 * one another, every other target has one.
 * @throws AlbertkitError `usage` if a target has no such element type
 */
export function artefactSpecs(targets: readonly Target[], dtypes: readonly Precision[] = []): ArtefactSpec[] {
  const asked = [...new Set(dtypes)]
  return [...new Set(targets)].flatMap((target): ArtefactSpec[] => {
    if (asked.length === 0) return [{ key: target, target, precision: 'f32' }]
    for (const precision of asked) checkPrecision(target, precision)
    if (asked.length > 1 && !hasFilePerPrecision(targetInfo(target)))
      throw usage(`${target} has one element type, not ${asked.join(' and ')}`, {
        code: 'option-conflict',
        hint: `convert to ${target} once for each, into directories of their own`,
      })
    return asked.map((precision) => ({ key: artefactKey(target, precision), target, precision }))
  })
}
