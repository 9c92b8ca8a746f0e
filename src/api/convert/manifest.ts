import { join } from 'node:path'
import type { FileHash } from '../../files/hash.js'
import { buildManifest, readManifest } from '../../export/manifest.js'
import { resolveTask } from '../../model/outputs.js'
import { RUNNERS } from '../../runtime/runners.js'
import type { OpenedModel } from '../open/open.js'
import type { FormRequest } from './precisions.js'
import type { VerifyReport } from '../verify/verify.js'
import type { ConvertOptions, Written } from './options.js'

/** The parity figures of one form for the manifest: reproducible, so without times. */
function figures(report: VerifyReport | null, { target, precision }: FormRequest): object | null {
  if (report === null) return null
  const dtype = precision === 'f32' ? undefined : precision
  const weights = report.weights.find((w) => w.artefact === target && w.dtype === dtype)
  return {
    arbiter: dtype === undefined ? 'float64 reference' : 'float64 reference of the weights as they are stored',
    inputs: report.inputs,
    comparisons: report.comparisons.filter(
      (c) =>
        c.dtype === dtype &&
        (c.runner === `reference(${target})` || RUNNERS.some((r) => r.name === c.runner && r.artefact === target)),
    ),
    weights: { compared: weights?.compared ?? 0, ok: weights?.ok ?? false },
  }
}

/** `albertkit.json` of a conversion that was verified, or was not to be. */
export function manifestOf(
  opened: OpenedModel,
  directory: string,
  written: readonly Written[],
  hashes: ReadonlyMap<string, FileHash>,
  staging: string,
  verification: VerifyReport | null,
  options: ConvertOptions,
): string {
  return buildManifest({
    source: {
      format: opened.source.format,
      files: [...opened.source.files, opened.rawConfig.file].map((path) => ({ path, hash: hashes.get(path) })),
    },
    config: opened.config,
    task: resolveTask(opened.model, options.task ?? 'auto'),
    artefacts: written.map(({ key, target, precision, artefact, gate }) => ({
      key,
      artefact,
      hashes: artefact.files.map((file) => hashes.get(join(staging, file.path))),
      as: target === 'safetensors' ? options.as : undefined,
      dtype: precision === 'f32' ? undefined : precision,
      gate: gate ?? undefined,
    })),
    verification: (key) =>
      figures(
        verification,
        written.find((form) => form.key === key)!,
      ),
    previous: readManifest(directory),
  })
}
