import { existsSync, readFileSync } from 'node:fs'
import { dirname, extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { AlbertkitError, environment, malformed, unreadable, usage } from '../../base/errors.js'
import { installCommand } from '../../base/install-command.js'
import { nearest } from '../../base/nearest.js'
import { findPackage, isAbsent } from '../../base/optional-package.js'
import { CONFIG_NAMES, isCode } from './find-config.js'
import { buildConfigSchema, type BuildConfig } from '../../schemas/build-config.js'

/** Endings of configurations. */
const CONFIG_ENDINGS = new Set(CONFIG_NAMES.map((name) => extname(name)))

/** A configuration file that was read. */
export interface ConfigFile {
  /** Absolute path. */
  readonly path: string
  /** Folder that paths in it are relative to. */
  readonly folder: string
  readonly config: BuildConfig
}

interface ParsedYaml {
  readonly errors: readonly { readonly message: string }[]
  toJS(options: { readonly maxAliasCount: number }): unknown
}

/** Aliases of a YAML file that are expanded: more would be an attack. */
const MAX_ALIASES = 100

/** Parses JSON or YAML. @throws AlbertkitError `malformed` with the line */
async function parseData(file: string, text: string): Promise<unknown> {
  const refuse = (reason: string): AlbertkitError =>
    malformed(`the configuration cannot be parsed: ${reason}`, { code: 'config-invalid', file })
  if (extname(file) === '.json')
    try {
      return JSON.parse(text.replace(/^\uFEFF/, ''))
    } catch (error) {
      throw refuse((error as Error).message)
    }
  const { parseDocument } = await import('../../vendor/config-files.js')
  const document = parseDocument(text) as ParsedYaml
  const [first] = document.errors
  if (first !== undefined) throw refuse(first.message.split('\n')[0] ?? '')
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES })
  } catch (error) {
    throw refuse((error as Error).message)
  }
}

interface Jiti {
  import(file: string, options: { readonly default: true }): Promise<unknown>
}

/** True if this Node runs TypeScript by itself, without its types. */
const runsTypeScript = (): boolean => Boolean((process.features as { typescript?: unknown }).typescript)

/** Imports TypeScript: Node itself does from 22.18 on, before that jiti. */
async function importTypeScript(file: string): Promise<unknown> {
  if (runsTypeScript()) return ((await import(pathToFileURL(file).href)) as { default?: unknown }).default
  const found = findPackage('jiti')
  if (found === null)
    throw environment('a configuration in TypeScript needs jiti, or Node from 22.18 on', {
      code: 'package-missing',
      file,
      hint: `${installCommand('jiti')}, or write the configuration in JavaScript, JSON or YAML`,
    })
  const { createJiti } = (await import(pathToFileURL(found).href)) as { createJiti: (from: string) => Jiti }
  return createJiti(file).import(file, { default: true })
}

/** Runs a configuration that is code. @throws AlbertkitError `malformed` with its error */
async function runCode(file: string): Promise<unknown> {
  try {
    if (file.endsWith('ts')) return await importTypeScript(file)
    return ((await import(pathToFileURL(file).href)) as { default?: unknown }).default
  } catch (error) {
    if (error instanceof AlbertkitError) throw error
    const said = error instanceof Error ? error.message : String(error)
    throw malformed(`the configuration does not run: ${said.split('\n')[0] ?? ''}`, {
      code: 'config-invalid',
      file,
      cause: error,
      ...(isAbsent(error) ? { hint: 'it imports a package or a file that is not there' } : {}),
    })
  }
}

interface Issue {
  readonly code: string
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly keys?: readonly string[]
  readonly expected?: string
  readonly values?: readonly unknown[]
  readonly errors?: readonly (readonly Issue[])[]
}

/** Names of the fields of each object of the schema, for suggestions. */
function fieldNames(schema: unknown, found = new Set<string>()): Set<string> {
  const { def } = (schema as { _zod?: { def?: Record<string, unknown> } })._zod ?? {}
  if (def === undefined) return found
  for (const [name, inner] of Object.entries((def.shape as object | undefined) ?? {})) {
    found.add(name)
    fieldNames(inner, found)
  }
  for (const inner of [def.innerType, def.valueType, def.element]) if (inner !== undefined) fieldNames(inner, found)
  return found
}

/** What is wrong with a field, in words. */
function reasonOf({ code, expected, values, keys, errors, message }: Issue): string {
  if (code === 'unrecognized_keys') return `has no field ${(keys ?? []).join(', ')}`
  if (code === 'invalid_type') return `must be ${expected === 'int' ? 'a whole number' : `of type ${String(expected)}`}`
  if (code === 'invalid_value') return `is one of ${(values ?? []).map(String).join(', ')}`
  if (code === 'invalid_union') return `does not have the form that is expected: ${reasonOf(errors![0]![0]!)}`
  if (code === 'too_small') return 'is too small or empty'
  if (code === 'too_big') return 'is too large'
  if (code === 'invalid_format') return 'is not written as expected'
  if (code === 'invalid_key') return 'is no name of a model: letters, digits and _, then also . and -'
  return message
}

/** @throws AlbertkitError `malformed` naming the field */
function validated(file: string, value: unknown): BuildConfig {
  const parsed = buildConfigSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0] as Issue
  const field = issue.path.map(String).join('.')
  const wrong = issue.keys?.[0]
  const meant = wrong === undefined ? null : nearest(wrong, fieldNames(buildConfigSchema))
  throw malformed(`${field === '' ? 'the configuration' : field} ${reasonOf(issue)}`, {
    code: 'config-invalid',
    file,
    ...(field === '' ? {} : { field }),
    hint: meant === null ? 'docs/build.md lists the fields' : `did you mean ${meant}?`,
  })
}

/**
 * Reads a configuration file.
 * @throws AlbertkitError `usage` if there is none, `malformed` naming the field, `environment` if it needs jiti
 */
export async function readConfigFile(file: string): Promise<ConfigFile> {
  const path = resolve(file)
  if (!CONFIG_ENDINGS.has(extname(path)))
    throw usage('a configuration is JSON, YAML, JavaScript or TypeScript', { code: 'option-invalid', file })
  if (isCode(path) && !existsSync(path)) throw unreadable('the configuration', file, { code: 'ENOENT' })
  const value = isCode(path) ? await runCode(path) : await parseData(path, readConfigText(path))
  return { path, folder: dirname(path), config: validated(path, value) }
}

function readConfigText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw unreadable('the configuration', path, error)
  }
}
