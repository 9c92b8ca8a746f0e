import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import * as z from '../vendor/zod.js'
import { wrapSource, type Container, type Found } from './container.js'
import { onnxGraphNames, openOnnxWeights } from './onnx.js'
import type { TensorSource } from './source.js'
import { openTfjsWeights } from './tfjs.js'

/**
 * Artefacts that albertkit wrote, as models to read: their weights carry slots for names, and their metadata say of
 * which family. Configuration and vocabulary lie beside the artefact's folder.
 */

const USER_METADATA = z.object({ userDefinedMetadata: z.object({ albertkit: z.record(z.string(), z.unknown()) }) })

/** What `convert` left in a `model.json`; nothing for one that another program wrote. */
function tfjsMetadata(file: string): ReadonlyMap<string, string> {
  const parsed = USER_METADATA.safeParse(JSON.parse(readFileSync(file, 'utf8')))
  if (!parsed.success) return new Map()
  const entries = Object.entries(parsed.data.userDefinedMetadata.albertkit)
  return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

function artefact(
  folder: string,
  fileName: string,
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
        return { source: wrapSource(source, { metadata: metadataOf(file) }) }
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
      if (names.includes(fileName)) return found(join(directory, fileName))
      const inner = join(directory, folder, fileName)
      return names.includes(folder) && existsSync(inner) ? found(inner) : null
    },
  }
}

export const onnxArtefact = artefact(
  'onnx',
  'model.onnx',
  'an ONNX file of albertkit (.onnx)',
  (name) => name.endsWith('.onnx'),
  openOnnxWeights,
  (file) => onnxGraphNames(file).metadata,
)

export const tfjsArtefact = artefact(
  'tfjs',
  'model.json',
  'a tfjs model of albertkit (model.json)',
  (name) => name === 'model.json',
  openTfjsWeights,
  tfjsMetadata,
)
