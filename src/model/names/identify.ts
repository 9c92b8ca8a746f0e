import { malformed, unsupported, type AlbertkitError } from '../../base/errors.js'
import { isFloat, type TensorInfo, type TensorSource } from '../../formats/core/source.js'
import { foreignModelOf } from '../foreign-models.js'
import { foreignPartOf } from './foreign.js'
import { identifyArtefact, isArtefact } from './artefact-names.js'
import { configSpeaksFor } from './guess-family.js'
import type { RawConfig } from '../config.js'
import type { Identification, MappedVariable, SkippedVariable } from './identification.js'
import { isBelow, matchName, scopesOf, skipReason, type Scope } from './match.js'
import { slotPattern } from './placeholders.js'
import type { NameTable, Sign } from './row.js'
import { NAME_TABLES } from './tables.js'

type MatchedNames = Omit<Identification, 'reason'>

/** Sorts every variable of `source` into mapped, skipped and unknown by `table`, with names below `scope`. */
function sortAt(tensors: Iterable<TensorInfo>, table: NameTable, scope?: Scope): MatchedNames {
  const mapped = new Map<string, MappedVariable>()
  const skipped: SkippedVariable[] = []
  const unknown: string[] = []
  for (const { name: variable, dtype, file } of tensors) {
    const reason = skipReason(table, variable)
    const match = reason === null ? matchName(table, variable, scope) : null
    if (reason !== null) skipped.push({ variable, reason })
    else if (match !== null && isFloat(dtype) && !mapped.has(match.slot)) {
      mapped.set(match.slot, { ...match, variable })
      if (mapped.size > MAX_PARAMETERS) throw tooDeep(file)
    } else if (dtype === 'STRING' || dtype === 'VARIANT')
      skipped.push({ variable, reason: `${dtype.toLowerCase()} tensor` })
    else unknown.push(variable)
  }
  return { table, mapped, skipped, unknown }
}

/**
 * Parameters of a model. The attack: a million names of layers, each with its place in a model. The deepest honest one,
 * of 96 layers that share nothing, has 1,600.
 */
const MAX_PARAMETERS = 20_000

const tooDeep = (file: string): AlbertkitError =>
  malformed(`the file has the names of more than ${MAX_PARAMETERS} parameters of one model`, {
    code: 'limit-exceeded',
    file,
    hint: 'no model is as deep: the file was made to do harm',
  })

/** The name tables; those that count inner layers through all groups get the group size of the configuration. */
function tablesFor(config: RawConfig | null): readonly NameTable[] {
  const said = config?.fields.inner_group_num
  const inner = Number.isSafeInteger(said) && Number(said) > 0 ? Number(said) : 1
  return NAME_TABLES.map((table) => (table.inner === undefined ? table : { ...table, inner }))
}

/**
 * Sorts by `table`: at the family's prefix if a complete model is there, else below the one scope that holds one.
 * @throws AlbertkitError `unsupported` if several scopes hold one
 */
function sortVariables(source: TensorSource, table: NameTable): MatchedNames {
  const own = sortAt(source.tensors.values(), table)
  if (table.scoped !== true || coreMissing(own).length === 0) return own
  const scopes = scopesOf(table, weightNames(source, table), MAX_SCOPES + table.prefixes.length).filter(
    ({ body }) => !table.prefixes.includes(body),
  )
  // What is outside of a scope, heads at most, does not say whether a model is in it.
  const bodyAt = (scope: Scope): MatchedNames => sortAt(below(source, table, scope), table, scope)
  const all = scopes.slice(0, MAX_SCOPES).map((scope) => ({ scope, body: bodyAt(scope) }))
  const models = all.filter(({ body }) => coreMissing(body).length === 0)
  const [first, second] = models
  if (first !== undefined && second !== undefined) {
    const file = source.files[0]
    const outer = models.map(({ scope }) => (scope.heads[0] ?? '').replace(/[./]$/, '') || scope.body)
    throw unsupported(`the file holds ${models.length} models, below ${first.scope.body} and ${second.scope.body}`, {
      code: 'choice-ambiguous',
      ...(file === undefined ? {} : { file }),
      hint: `choose one: ${outer.map((name) => `\`scope\` ${name}`).join(' or ')}`,
    })
  }
  const isFuller = (a: MatchedNames, b: MatchedNames): boolean => a.mapped.size > b.mapped.size
  const fullest = all.reduce<(typeof all)[number] | null>(
    (best, one) => (isFuller(one.body, best?.body ?? own) ? one : best),
    null,
  )
  const chosen = first ?? fullest
  return chosen === null ? own : sortAt(source.tensors.values(), table, chosen.scope)
}

// One by one: a file may have 100,000 tensors, and lists of them for each of its scopes would be its largest memory.

/** The tensors whose names begin with a scope. */
function* below({ tensors }: TensorSource, table: NameTable, scope: Scope): Generator<TensorInfo> {
  for (const tensor of tensors.values()) if (isBelow(table, tensor.name, scope)) yield tensor
}

/** The names that a table does not leave out. */
function* weightNames({ tensors }: TensorSource, table: NameTable): Generator<string> {
  for (const name of tensors.keys()) if (skipReason(table, name) === null) yield name
}

/** A file has a few scopes; one that has more is looked at no further. */
const MAX_SCOPES = 16

/** A few names of the file, for a message. */
function sample(source: TensorSource): string {
  const names = [...source.tensors.keys()]
  const shown = names
    .slice(0, 3)
    .map((name) => (name === '' ? '""' : name))
    .join(', ')
  return names.length > 3 ? `${shown} … (${names.length} tensors)` : shown
}

/** Slot with placeholders in place of its indices, the same for every layer. */
const general = (slot: string): string => slotPattern(slot).pattern

const coreMisses = new WeakMap<MatchedNames, string[]>()

/** Slots without which no model of the family runs, and that are missing: embeddings and one layer. */
function coreMissing(names: MatchedNames): string[] {
  let found = coreMisses.get(names)
  if (found === undefined) coreMisses.set(names, (found = findCoreMissing(names)))
  return found
}

function findCoreMissing({ table, mapped }: MatchedNames): string[] {
  const present = new Set([...mapped.keys()].map(general))
  const core = table.rows.filter(({ slot }) => /^(embeddings|encoder)\//.test(slot))
  const needed = new Map(core.map((row) => [row.slot, row.name]))
  // One way of sharing is enough: each part of a layer counts by what follows its scope.
  const part = (slot: string): string => slot.replace(/^encoder\/.*?(attention|ffn|embedding_hidden)/, '$1')
  const have = new Set([...present].map(part))
  const missing = new Map<string, string>()
  for (const [slot, name] of needed)
    if (!have.has(part(slot)) && !slot.includes(OPTIONAL) && !missing.has(part(slot))) missing.set(part(slot), name)
  return [...missing.values()]
}
/** Google's code leaves the mapping out if E = H. */
const OPTIONAL = 'embedding_hidden_mapping_in'

/** Hint for a file of no known family: the family with most names in it, of several the one that lacks least. */
function nearestHint(candidates: readonly MatchedNames[]): string {
  const isNearer = (a: MatchedNames, b: MatchedNames): boolean =>
    a.mapped.size > b.mapped.size || (a.mapped.size === b.mapped.size && coreMissing(a).length < coreMissing(b).length)
  const nearest = candidates.reduce((best, c) => (isNearer(c, best) ? c : best))
  if (nearest.mapped.size === 0) return `known families: ${[...new Set(NAME_TABLES.map((t) => t.family))].join(', ')}`
  const missing = coreMissing(nearest)
  const more = missing.length > 2 ? ` and ${missing.length - 2} more` : ''
  return (
    `nearest is ${nearest.table.title}: ${nearest.mapped.size} names fit, but ` +
    `${missing.slice(0, 2).join(', ')}${more} ${missing.length === 1 ? 'is' : 'are'} missing`
  )
}

/** Chooses among the families whose sign is in the file: by the configuration if it fits, else by most names. */
function choose(
  signed: readonly MatchedNames[],
  config: RawConfig | null,
): { best: MatchedNames; decided: boolean } | null {
  const most = (all: readonly MatchedNames[]): MatchedNames | null =>
    all.reduce<MatchedNames | null>((a, b) => (a === null || b.mapped.size > a.mapped.size ? b : a), null)
  const complete = signed.filter((c) => coreMissing(c).length === 0)
  const best = most(complete) ?? most(signed)
  if (best === null || complete.length < 2 || config === null) return best === null ? null : { best, decided: false }
  const named = most(complete.filter((c) => configSpeaksFor(c.table, config.fields) === true))
  return { best: named ?? best, decided: named !== null && new Set(complete.map((c) => c.table.family)).size > 1 }
}

/**
 * Finds the family whose name table fits the names of `source`.
 * @param config decides if two families fit
 * @throws AlbertkitError `unsupported` when the file holds no model of a known family.
 */
export function identify(source: TensorSource, config: RawConfig | null = null): Identification {
  if (isArtefact(source)) return identifyArtefact(source)
  const names = [...source.tensors.keys()]
  const file = source.files[0]
  const tables = tablesFor(config)
  const signed = tables.flatMap((table) => signedNames(source, table) ?? [])
  const chosen = choose(signed, config)
  if (chosen !== null && chosen.best.mapped.size > 0) {
    const { best, decided } = chosen
    const why = decided ? ', and the configuration says so where others fit too' : ''
    return { ...best, reason: `${best.table.sign.reason}; ${best.mapped.size} variables fit ${best.table.title}${why}` }
  }
  const where = file === undefined ? {} : { file }
  if (names.length === 0) throw unsupported('the file holds no tensors', { code: 'not-a-model', ...where })
  if (tables.some((table) => holdsNoWeights(source, table))) {
    throw unsupported('the file holds only optimizer state and counters, no weights of a model', {
      code: 'not-a-model',
      ...where,
      hint: 'convert the checkpoint that the training saved before it was stripped',
    })
  }
  const foreign = foreignModelOf(names)
  if (foreign !== null)
    throw unsupported(`the names are those of ${foreign}: albertkit runs ALBERT and BERT`, {
      ...where,
      code: 'architecture-unsupported',
      hint: `for example ${sample(source)}`,
    })
  const parts = names.map((name) => foreignPartOf(name))
  if (parts.length > 0 && parts.every((part) => part !== null))
    throw unsupported(`the file holds only ${parts[0]?.words ?? ''}, without the model that they belong to`, {
      ...where,
      code: 'architecture-unsupported',
      hint: `${sample(source)}: merge them into their base model, or give the folder in which both lie`,
    })
  const first = firstOf(source)
  throw unsupported(`no known model family has these names: ${sample(source)}`, {
    code: 'family-unknown',
    ...where,
    hint: nearestHint(tables.map((table) => sortVariables(first, table))),
  })
}

/** True if a table knows every variable, and leaves it out. */
function holdsNoWeights(source: TensorSource, table: NameTable): boolean {
  for (const { name, dtype } of source.tensors.values())
    if (dtype !== 'STRING' && dtype !== 'VARIANT' && skipReason(table, name) === null) return false
  return true
}

/** The first tensors of a file: enough to say which family is nearest. */
function firstOf(source: TensorSource): TensorSource {
  if (source.tensors.size <= MAX_COMPARED) return source
  const tensors: TensorSource['tensors'] = new Map(take(source.tensors, MAX_COMPARED))
  return { ...source, tensors }
}
function* take<T>(all: Iterable<T>, most: number): Generator<T> {
  let taken = 0
  for (const one of all) {
    if (++taken > most) return
    yield one
  }
}
/** A file that is no model is compared with every family only so far; a large model has some thousand tensors. */
const MAX_COMPARED = 4096

/** What was found so far: a source is identified again once its configuration is known, and its names are the same. */
const found = new WeakMap<TensorSource, Map<NameTable, MatchedNames | null>>()

/** The variables of a source sorted by `table`; null if no name is one that only this family has. */
function signedNames(source: TensorSource, table: NameTable): MatchedNames | null {
  const known = found.get(source) ?? new Map<NameTable, MatchedNames | null>()
  found.set(source, known)
  let names = known.get(table)
  if (names === undefined) known.set(table, (names = isSigned(source, table) ? sortVariables(source, table) : null))
  return names
}

/** True if a variable's name, and rank, is one that only this family has. */
function isSigned({ tensors }: TensorSource, table: NameTable): boolean {
  const { not, ...sign } = table.sign
  const has = ({ pattern, rank }: Sign): boolean => {
    for (const { name, shape } of tensors.values())
      if (pattern.test(name) && (rank === undefined || shape.length === rank) && skipReason(table, name) === null)
        return true
    return false
  }
  return has(sign) && (not === undefined || !has(not))
}
