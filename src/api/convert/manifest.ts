import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { CARD_FILE, DEMO_FOLDER } from '../../base/artefact-layout.js'
import { buildManifest, type Manifest, type ReadingOptions } from '../../export/manifest.js'
import { omitUndefined } from '../../base/omit-undefined.js'
import { hashFile, type FileHash } from '../../files/hash.js'
import { RUNNERS } from '../../runtime/runners.js'
import { fileRunner } from '../verify/files.js'
import type { VerifyReport } from '../verify/report.js'
import { readLabels } from '../labels.js'
import { cardText } from './card.js'
import type { Conversion } from './conversion.js'
import type { ConvertOptions } from './options.js'
import type { ArtefactSpec, ConvertedArtefact } from './specs.js'

/** Parity figures of one artefact for the manifest; without times, so that they are reproducible. */
function figures(report: VerifyReport | null, { target, precision }: ArtefactSpec): object | null {
  if (report === null) return null
  const dtype = precision === 'f32' ? undefined : precision
  const weights = report.weights.find((w) => w.artefact === target && w.dtype === dtype)
  return {
    arbiter: dtype === undefined ? 'float64 reference' : 'float64 reference of the weights as they are stored',
    inputs: report.inputs,
    comparisons: report.comparisons.filter(
      (c) =>
        c.dtype === dtype &&
        (c.runner === fileRunner(target) || RUNNERS.some((r) => r.name === c.runner && r.artefact === target)),
    ),
    weights: { compared: weights?.compared ?? 0, ok: weights?.ok ?? false },
  }
}

/** The options of reading; undefined if none is given. */
function readingOf({ ignore, head, scope, ema, mergeLora }: ConvertOptions): ReadingOptions | undefined {
  const read = omitUndefined({ ignore, head, scope, ema, mergeLora })
  return Object.keys(read).length === 0 ? undefined : read
}

/** A finished conversion, for its manifest. */
export interface WrittenConversion {
  readonly conversion: Conversion
  readonly staging: string
  readonly written: readonly ConvertedArtefact[]
  /** Hashes by absolute path: files of the source and of `staging`. */
  readonly hashes: ReadonlyMap<string, FileHash>
  /** Null if verification was switched off. */
  readonly verification: VerifyReport | null
}

/** Paths of all files below a directory, with `/`. */
const filesBelow = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(directory, name)).isFile())
    .map((name) => name.replaceAll('\\', '/'))

/** Text of `albertkit.json`. */
export function manifestText({ conversion, staging, written, hashes, verification }: WrittenConversion): string {
  const { opened, task, options, existing } = conversion
  return buildManifest({
    source: {
      format: opened.source.format,
      files: [...opened.source.files, opened.rawConfig.file].map((path) => ({ path, hash: hashes.get(path) })),
      read: readingOf(options),
      origin: opened.origin ?? undefined,
      leftOut: opened.leftOut,
    },
    config: opened.config,
    task,
    artefacts: written.map((one) => ({
      key: one.key,
      artefact: one.artefact,
      hashes: one.artefact.files.map((file) => hashes.get(join(staging, file.path))),
      as: options.targetArchitecture,
      dtype: one.precision === 'f32' ? undefined : one.precision,
      gate: one.gate ?? undefined,
      verification: figures(verification, one),
    })),
    files: [
      ...filesBelow(staging)
        .filter((path) => !written.some(({ artefact }) => artefact.files.some((file) => file.path === path)))
        .map((path) => ({ path, hash: hashFile(join(staging, path)) })),
      // Written with the figures of this text, and a user's to edit.
      ...(options.card === true ? [{ path: CARD_FILE, hash: undefined }] : []),
    ],
    previous: options.demo === true ? existing.manifestWithout(DEMO_FOLDER) : existing.manifest,
  })
}

/** Text of the model card, with the figures of the manifest. */
export function cardOf({ opened, existing, parameters }: Conversion, manifest: string): string {
  return cardText(
    JSON.parse(manifest) as Manifest,
    { labels: readLabels(opened), parameters: parameters.stored },
    existing.card(),
  )
}
