import { layoutOf, TARGET_NAMES } from '../../base/artefact-layout.js'
import { PRESETS } from '../../model/accounting/presets.js'
import { HEAD_NAMES } from '../../model/tasks.js'
import { RUNNERS } from '../../runtime/runners.js'

const presets = (): string[] => PRESETS.map(({ name }) => name)
const targets = (): string[] =>
  TARGET_NAMES.flatMap((name) => [name, ...layoutOf(name).precisions.map((precision) => `${name}:${precision}`)])

/**
 * Values of flags and arguments that the manifest does not list, because they take others too: by the command, if only
 * that one has them, and the name.
 */
const VALUES: Readonly<Record<string, () => readonly string[]>> = {
  'init preset': presets,
  preset: presets,
  'params compare': presets,
  share: () => ['all', 'attention', 'ffn', 'none'],
  'convert to': targets,
  'params heads': () => HEAD_NAMES,
  'verify runner': () => ['reference', ...RUNNERS.map(({ name }) => name)],
  'bench runner': () => RUNNERS.map(({ name }) => name),
}

/** Values of a flag or an argument; undefined if they are those of the manifest, or not to be listed. */
export const valuesOf = (command: string, name: string): readonly string[] | undefined =>
  (VALUES[`${command} ${name}`] ?? VALUES[name])?.()
