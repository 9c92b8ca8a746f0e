import { existsSync } from 'node:fs'
import { cpus, hostname } from 'node:os'
import { basename, join } from 'node:path'
import { MANIFEST_FILE } from '../../base/artefact-layout.js'
import { albertkitVersion } from '../../base/version.js'
import { hashFile } from '../../files/hash-file.js'
import { checkDirectory } from '../check/check.js'
import type { InputHashes, Identity } from './identity.js'
import type { ModelBuild } from './model-build.js'
import type { StepJob } from './steps.js'

/** A step of a model: what is done, and what its result depends on. */
export interface PlannedStep {
  readonly name: string
  /** @param converted SHA-256 of the manifest of the converted directory */
  readonly identity: (converted: string | null) => Identity
  /** @param artefacts keys of the artefacts that the conversion wrote */
  readonly job: (artefacts: readonly string[], force: boolean) => StepJob
}

/** Fields of a model that steps other than the conversion read. */
const OF_OTHER_STEPS = new Set(['goldens', 'evaluate', 'bench', 'budgets'])
/** Fields that select and read the model. */
const READING = [
  'source',
  'config',
  'layerNormEpsilon',
  'scope',
  'head',
  'ema',
  'mergeLora',
  'ignore',
  'checksum',
] as const

type Options = Identity['options']

const given = (options: Record<string, unknown>): Options =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))

/** Computer that figures of time belong to. */
const machine = (): string => [hostname(), cpus()[0]?.model ?? '', process.version].join(' ')

/** Name of the step of a golden: its file's, or its number if several have that name. */
function goldenStep(goldens: readonly string[], i: number): string {
  const names = goldens.map((golden) => basename(golden))
  const own = names[i]!
  return `golden ${names.filter((name) => name === own).length > 1 ? String(i + 1) : own}`
}

/** The steps of a model, in order. @throws AlbertkitError `usage` if an input cannot be read */
export function plannedSteps(build: ModelBuild, hashes: InputHashes): PlannedStep[] {
  const { source, output, convert, goldens, evaluate, bench, budgets, entry } = build
  const albertkit = albertkitVersion()
  const model = hashes.source(source)
  const options = given({
    ...Object.fromEntries(Object.entries(entry).filter(([name]) => !OF_OTHER_STEPS.has(name))),
    output: entry.output ?? null,
    'budgets.agreement': budgets.agreement,
  })
  const reading = given(Object.fromEntries([...READING, 'atol' as const].map((name) => [name, entry[name]])))
  const step = (
    name: string,
    own: { options: Options; inputs: () => Identity['inputs'] },
    job: PlannedStep['job'],
  ): PlannedStep => ({
    name,
    identity: (converted) => ({ albertkit, options: own.options, inputs: own.inputs(), converted }),
    job,
  })
  const beside = (): Identity['inputs'] => ({ ...model, ...hashes.files(convert.config, convert.vocabulary) })
  return [
    step('convert', { options, inputs: () => ({ ...beside(), ...hashes.files(convert.gateInputs) }) }, (_, force) => ({
      kind: 'convert',
      source,
      output,
      convert,
      force,
    })),
    ...goldens.map((golden, i) =>
      step(
        goldenStep(goldens, i),
        { options: reading, inputs: () => ({ ...beside(), ...hashes.files(golden) }) },
        () => ({ kind: 'golden', source, output, convert, golden }),
      ),
    ),
    ...(evaluate === null
      ? []
      : [
          step(
            'evaluate',
            { options: given({ ...entry.evaluate }), inputs: () => hashes.files(evaluate.input, evaluate.labels) },
            (artefacts) => ({ kind: 'evaluate', output, artefacts, evaluate }),
          ),
        ]),
    ...(bench === null
      ? []
      : [
          step('bench', { options: given({ ...bench, machine: machine() }), inputs: () => ({}) }, () => ({
            kind: 'bench',
            output,
            bench,
          })),
        ]),
  ]
}

/** SHA-256 of the manifest of a converted directory; null if there is none. */
export function manifestHash(output: string): string | null {
  const file = join(output, MANIFEST_FILE)
  return existsSync(file) ? hashFile(file).sha256 : null
}

/** Why the directory of an earlier conversion is no longer as it was written; null if it is. */
export async function whyOutputChanged(output: string): Promise<string | null> {
  if (!existsSync(output)) return `${output} is gone`
  try {
    const { ok, files, unlisted } = await checkDirectory(output)
    if (ok) return null
    const wrong = files.find(({ status }) => status !== 'ok' && status !== 'unhashed')
    const name = wrong?.name ?? unlisted.find(({ isModel }) => isModel)?.name ?? ''
    return `${join(output, name)} is no longer as it was written`
  } catch {
    return `${output} is no longer as it was written`
  }
}
