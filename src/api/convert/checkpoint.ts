import { join } from 'node:path'
import { checkpointLayout, type CheckpointTarget } from '../../base/artefact-layout.js'
import { passedOf } from './passed.js'
import { checkpointTarget } from '../../export/targets.js'
import type { WriteEvents, WrittenArtefact } from '../../export/weights/artefact.js'
import { writeBytes, writeText } from '../../files/output-file.js'
import { resolveTask } from '../../model/outputs.js'
import type { Translation } from '../../model/rewrite/translation.js'
import { readBytes } from '../../formats/core/file.js'
import { findTokenizer, tokenizerName } from '../../text/tokenizers/load.js'
import { readLabels } from '../labels.js'
import type { OpenedModel } from '../open/open.js'

/** Writes vocabulary and class names into the folder of a checkpoint, so that it is a complete model. */
function writeCompanions(opened: OpenedModel, folder: string): void {
  const vocabulary = findTokenizer(opened.files, opened.directory)
  if (vocabulary !== null) writeBytes(join(folder, tokenizerName(vocabulary)), readBytes(opened.files, vocabulary))
  const labels = readLabels(opened)
  if (labels !== null) writeText(join(folder, 'labels.txt'), labels.map((label) => `${label}\n`).join(''))
}

/** Writes one checkpoint into `staging`, with vocabulary and class names if it has a separate folder. */
export async function writeCheckpoint(
  opened: OpenedModel,
  target: CheckpointTarget,
  translation: Translation,
  staging: string,
  events: WriteEvents,
): Promise<WrittenArtefact> {
  const written = await checkpointTarget(target).write({
    translation,
    source: opened.source,
    directory: staging,
    // A checkpoint holds all heads of the source, whichever head the graphs have.
    task: resolveTask(opened.model, 'auto'),
    passed: passedOf(opened),
    events,
  })
  const { folder } = checkpointLayout(target)
  if (folder !== '') writeCompanions(opened, join(staging, folder))
  return written
}
