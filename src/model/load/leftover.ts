import { unsupported, type AlbertkitError } from '../../base/errors.js'
import { isFloat, type TensorSource } from '../../formats/core/source.js'
import type { RawConfig } from '../config.js'
import { foreignModelOf, foreignModelOfScope } from '../foreign-models.js'
import { foreignPartOf, headWordsOf, type ForeignPart } from '../names/foreign.js'
import type { Identification, SkippedVariable } from '../names/identification.js'
import { matchName } from '../names/match.js'
import { namePattern } from '../names/pattern.js'

/**
 * Variables of a file that the model does not use. Those within the encoder or the embeddings would change what the
 * model computes: such a file is refused. Those outside are heads, which are left out with a note.
 */

/** Variables of a file that the model does not use. */
export interface Leftover {
  /** Within the encoder or the embeddings, or acting on them. */
  readonly inside: readonly string[]
  /** Heads and other parts outside the encoder. */
  readonly outside: readonly string[]
}

/** Names that a message shows. */
const SHOWN = 6

const list = (names: readonly string[]): string =>
  names.length > SHOWN ? `${names.slice(0, SHOWN).join(', ')} and ${names.length - SHOWN} more` : names.join(', ')

/** First part of a name: `encoder`; of bert4keras `Transformer`. */
const topOf = (name: string): string => {
  const end = name.search(/[./-]/)
  return end < 0 ? name : name.slice(0, end)
}

/** Makes a test for names within the scopes of the encoder and the embeddings. */
function insideOf(found: Identification): (name: string) => boolean {
  const body = [...found.mapped.values()].filter(({ row }) => row.prefixed)
  const prefixes = [...new Set(body.map(({ prefix }) => prefix))].filter((prefix) => prefix !== '')
  // Without a prefix the scopes are those of the parts: `embeddings`, `encoder`.
  const tops = new Set(body.filter(({ prefix }) => prefix === '').map(({ variable }) => topOf(variable)))
  return (name) => prefixes.some((prefix) => name.startsWith(prefix)) || tops.has(topOf(name))
}

/**
 * Sorts the variables that `found` has no use for.
 * @param used variables of the finished model, if it was built: mapped ones that it does not use are left over too
 */
export function leftoverOf(source: TensorSource, found: Identification, used?: ReadonlySet<string>): Leftover {
  const isInside = insideOf(found)
  const inside: string[] = []
  const outside: string[] = []
  const sort = (name: string): unknown =>
    (isInside(name) || foreignPartOf(name)?.anywhere === true ? inside : outside).push(name)
  for (const name of found.unknown) {
    const dtype = source.tensors.get(name)?.dtype
    // A name of the table with an element type that weights cannot have is reported as missing, with its type.
    if (dtype !== undefined && !isFloat(dtype) && matchName(found.table, name) !== null) continue
    sort(name)
  }
  if (used !== undefined)
    for (const { variable, row } of found.mapped.values())
      if (!used.has(variable)) (row.prefixed ? inside : outside).push(variable)
  return { inside, outside }
}

/** Takes out what is to be passed over. */
export function ignoreVariables(found: Identification, patterns: readonly string[]): Identification {
  if (patterns.length === 0) return found
  const tests = patterns.map(namePattern)
  const isIgnored = (name: string): boolean => tests.some((test) => test(name))
  const ignored = found.unknown.filter(isIgnored)
  const skipped: SkippedVariable[] = ignored.map((variable) => ({ variable, reason: 'ignored, as asked' }))
  return {
    ...found,
    unknown: found.unknown.filter((name) => !isIgnored(name)),
    skipped: [...found.skipped, ...skipped],
  }
}

/** A pattern that `ignore` takes for variables like this one. */
function patternFor(name: string, part: ForeignPart | null): string {
  const match = part?.pattern.exec(name)?.[0].replace(/^[./_]|[./_]$/g, '')
  return match === undefined || match === '' ? name.replace(/\d+/g, '*') : `*${match}*`
}

/** The refusal of a model that has such variables, or null. */
export function refuseLeftover(
  source: TensorSource,
  found: Identification,
  { inside }: Leftover,
): AlbertkitError | null {
  const [first] = inside
  if (first === undefined) return null
  const parts = new Map<string, { part: ForeignPart | null; names: string[] }>()
  for (const name of inside) {
    const part = foreignPartOf(name)
    const entry = parts.get(part?.words ?? '') ?? { part, names: [] }
    parts.set(part?.words ?? '', entry)
    entry.names.push(name)
  }
  const said = [...parts.values()].map(
    ({ part, names }) =>
      `${list(names)}: ` +
      (part === null ? `no variable of ${found.table.title} has such a name` : `it looks like ${part.words}`),
  )
  const title = foreignModelOf(inside)
  if (title !== null) said.push(`${title} has such names`)
  const count = inside.length === 1 ? 'a variable' : `${inside.length} variables`
  const advice = [...parts.values()].flatMap(({ part }) => part?.advice ?? [])
  const patterns = [...parts.values()].map(({ part, names }) => `"${patternFor(names[0] ?? first, part)}"`)
  return unsupported(
    `the model has ${count} that albertkit would leave out, and so compute something else: ${said.join('; ')}`,
    {
      code: 'tensor-unknown',
      file: source.tensors.get(first)?.file ?? found.table.title,
      tensor: first,
      hint:
        `${[...new Set(advice)].map((text) => `${text}; `).join('')}to compute without them all the same: ` +
        `\`ignore\` ${patterns.join(' and ')}`,
    },
  )
}

/** Notes on the variables outside the encoder that are left out. */
export function notesOnOutside({ outside }: Leftover, dense: readonly string[]): string[] {
  if (outside.length === 0) return []
  const words = [...new Set(outside.flatMap((name) => headWordsOf(name) ?? []))]
  const looks = words.length === 0 ? '' : `; it looks like ${words.join(' and ')}`
  const more =
    dense.length === 0
      ? ''
      : `; as the classifier of the model: ${dense.map((name) => `\`head\` ${name}`).join(' or ')}`
  return [
    'left out, for ' +
      `${outside.length === 1 ? 'it is no variable' : 'they are no variables'} of the model: ` +
      `${list(outside)}${looks}${more}`,
  ]
}

/** Error for a file whose names belong to another architecture, even if other names fit; else null. */
export function refuseForeignNames(
  source: TensorSource,
  found: Identification,
  raw: RawConfig | null,
): AlbertkitError | null {
  // A user's class may name its BERT anything: the `model_type` that transformers wrote decides.
  if (raw?.fields.model_type === 'bert' || raw?.fields.model_type === 'albert') return null
  const body = [...found.mapped.values()].find(({ row }) => row.prefixed)
  // Without a configuration, names that nothing here has tell the architecture too.
  const title = foreignModelOfScope(body?.prefix ?? '') ?? (raw === null ? foreignModelOf(found.unknown) : null)
  if (title === null) return null
  return unsupported(`the names are those of ${title}: albertkit runs ALBERT and BERT`, {
    code: 'architecture-unsupported',
    file: source.files[0] ?? '',
    ...(body === undefined ? {} : { tensor: body.variable }),
    hint:
      `${title} computes something else with weights that are named alike; if it is BERT ` +
      'under another name, a configuration whose model_type is "bert" says so',
  })
}
