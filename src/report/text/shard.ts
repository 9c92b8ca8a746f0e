import type { ShardReport } from '../../sharding/run-shard.js'
import { escapeControl } from '../../base/escape.js'

/** What became of a shard, for a person. */
export function shardText({ directory, manifest, skipped }: ShardReport): string {
  const { output, errors, shard, input } = manifest
  const lines =
    shard.lines === 0
      ? 'no lines'
      : `lines ${shard.firstLine} to ${shard.firstLine + shard.lines - 1} of ${input.lines}`
  const said = [`${skipped ? 'was there already' : 'wrote'}: ${escapeControl(`${directory}/${output.file}`)}, ${lines}`]
  if (errors !== null)
    said.push(`${errors.lines} lines could not be used: ${escapeControl(`${directory}/${errors.file}`)}`)
  return said.join('\n')
}

/** The same as a document. */
export const shardDocument = ({ directory, manifest, skipped }: ShardReport): object => ({
  directory,
  skipped,
  ...manifest,
})
