import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import * as z from '../vendor/zod.js'
import { wrapSource, type Container, type Found } from './core/container.js'
import { dequantised } from './views/dequantised.js'
import { onnxGraphNames, openOnnxWeights } from './onnx/source.js'
import type { TensorSource } from './core/source.js'
import { openTfjsWeights } from './tfjs/source.js'

/**
 * Artefacts that albertkit wrote, as models to read: their weights carry slots for names, and their metadata say of
 * which family. Configuration and vocabulary lie beside the artefact's folder.
 */

/** Names of ONNX files as `convert` gives them, the most exact first. */
export const ONNX_FILES: readonly string[] = ['model.onnx', 'model_fp16.onnx', 'model_int8.onnx']

const USER_METADATA = z.object({ userDefinedMetadata: z.object({ albertkit: z.record(z.string(), z.unknown()) }) })

/** What `convert` left in a `model.json`; nothing for one that another program wrote. */
function tfjsMetadata(file: string): ReadonlyMap<string, string> {
  const parsed = USER_METADATA.safeParse(JSON.parse(readFileSync(file, 'utf8')))
  if (!parsed.success) return new Map()
  const entries = Object.entries(parsed.data.userDefinedMetadata.albertkit)
  return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

const ROUNDED: Readonly<Record<string, string>> = { f16: 'halfs', int8: '8 bits', uint16: '16 bits', uint8: '8 bits' }

/** What a person should know of weights that are not those of the source any more. */
function roundedNote(file: string, metadata: ReadonlyMap<string, string>): string[] {
  const said = ROUNDED[metadata.get('dtype') ?? '']
  return said === undefined ? [] : [`the weights are those of ${basename(file)}: rounded to ${said}`]
}

/** @param fileNames in the order in which they are taken where several are there */
function artefact(
  folder: string,
  fileNames: readonly string[],
  title: string,
  isNamed: (name: string) => boolean,
  open: (file: string) => TensorSource,
  metadataOf: (file: string) => ReadonlyMap<string, string>,
): Container {
  const found = (file: string): Found => ({
    directories: [dirname(file), dirname(dirname(file))],
    notes: [],
    open() {
      const source = open(file)
      try {
        const metadata = metadataOf(file)
        return { source: wrapSource(source, { metadata, notes: roundedNote(file, metadata) }) }
      } catch (error) {
        source.close()
        throw error
      }
    },
  })
  return {
    title,
    byName: (path) => (isNamed(basename(path)) ? found(path) : null),
    inDirectory(directory, names) {
      const direct = fileNames.find((name) => names.includes(name))
      if (direct !== undefined) return found(join(directory, direct))
      if (!names.includes(folder)) return null
      const inner = fileNames.map((name) => join(directory, folder, name)).find((file) => existsSync(file))
      return inner === undefined ? null : found(inner)
    },
  }
}

export const onnxArtefact = artefact(
  'onnx',
  ONNX_FILES,
  'an ONNX file of albertkit (.onnx)',
  (name) => name.endsWith('.onnx'),
  (file) => dequantised(openOnnxWeights(file)),
  (file) => onnxGraphNames(file).metadata,
)

export const tfjsArtefact = artefact(
  'tfjs',
  ['model.json'],
  'a tfjs model of albertkit (model.json)',
  (name) => name === 'model.json',
  openTfjsWeights,
  tfjsMetadata,
)
