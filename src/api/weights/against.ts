import { disk, diskPath } from '../../files/disk.js'
import { parseConfig } from '../../model/config.js'
import { mergeHeads } from '../../model/load/dimensions.js'
import { classifierHead, headRow, taskRow, type HeadName, type Task } from '../../model/tasks.js'
import { nameSlots } from '../../model/names/write-names.js'
import { slotOptionsOf, slotsOf, type SlotOptions } from '../../model/accounting/slots.js'
import { readConfigFile } from '../open/config-file.js'
import type { ExaminedModel } from '../open/open.js'
import type { AgainstReport, NotProvided } from './report.js'

/**
 * Finds variables that the model of a configuration needs and a checkpoint lacks. Its heads are those of `task`, or
 * else the checkpoint's and a classifier if the configuration has labels.
 * @throws AlbertkitError as `parseConfig`
 */
export function compareAgainst(examined: ExaminedModel, file: string, task?: Task): AgainstReport {
  const raw = readConfigFile(disk, diskPath(file))
  const { identification, plan } = examined
  const { table } = identification
  const config = parseConfig(raw, table.family, table.architecture)
  const own = slotOptionsOf(plan.model)
  const given = raw.fields.num_labels
  const counted = typeof given === 'number' && Number.isSafeInteger(given) && given > 0 ? given : null
  const labels = config.id2label === null ? (counted ?? own.labels) : Object.keys(config.id2label).length
  const named = counted !== null || config.id2label !== null || config.classifier_kind !== undefined
  const classifier = named && !own.heads.some((head) => headRow(head).kind !== null)
  const heads: readonly HeadName[] =
    task !== undefined
      ? task === 'auto'
        ? []
        : taskRow(task).heads
      : [...own.heads, ...(classifier ? [classifierHead(config.classifier_kind ?? 'sequence')] : [])]
  const options: SlotOptions = { ...own, heads, labels, pooler: own.pooler || heads.length > 0 }
  const slots = slotsOf(config, options)
  const names = nameSlots(
    table,
    config,
    slots.map(({ slot }) => slot),
  )
  const notProvided = slots.flatMap(({ slot, shape }): NotProvided[] => {
    const mapped = identification.mapped.get(slot)
    const stored = mapped === undefined ? undefined : examined.source.tensors.get(mapped.variable)?.shape
    const variable = mapped?.variable ?? names.get(slot)?.name ?? slot
    if (mapped === undefined || stored === undefined) return [{ slot, variable, shape, found: null }]
    const found = mergeHeads(mapped.row, stored)
    const { layout } = mapped.row
    const [groups = 1, ...rest] = shape
    const wanted = layout === 'transposed' ? [...shape].reverse() : layout === 'grouped' ? [...rest, groups] : shape
    return found.join() === wanted.join() ? [] : [{ slot, variable, shape: wanted, found }]
  })
  return { config: file, variables: slots.length, notProvided, unknown: identification.unknown }
}
