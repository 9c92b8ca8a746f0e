import { fileNames, graphLayout, isArtefactName, type GraphTarget } from '../base/artefact-layout.js'
import { wrapSource, type Container, type Found } from './core/container.js'
import { exists, type FilePort } from './core/file-port.js'
import { basename, dirname, join } from './core/paths.js'
import { dequantised } from './views/dequantised.js'
import { onnxGraphNames, openOnnxWeights } from './onnx/source.js'
import type { TensorSource } from './core/source.js'
import { tfjsMetadata } from './tfjs/metadata.js'
import { openTfjsWeights } from './tfjs/source.js'
import { openTfliteWeights, tfliteHead } from './tflite/source.js'

/**
 * Containers for artefacts that albertkit wrote: their weights are named by slots, and their metadata name the family.
 * Configuration and vocabulary are next to the artefact's folder.
 */

const ROUNDED: Readonly<Record<string, string>> = {
  f16: 'halfs',
  int8: '8 bits',
  int4: '4 bits',
  uint16: '16 bits',
  uint8: '8 bits',
}

/** Note for the user if the weights were rounded and so differ from those of the source. */
function roundedNote(file: string, metadata: ReadonlyMap<string, string>): string[] {
  const said = ROUNDED[metadata.get('dtype') ?? '']
  return said === undefined ? [] : [`the weights are those of ${basename(file)}: rounded to ${said}`]
}

function artefact(
  target: GraphTarget,
  title: string,
  open: (files: FilePort, file: string) => TensorSource,
  metadataOf: (files: FilePort, file: string) => ReadonlyMap<string, string>,
): Container {
  const layout = graphLayout(target)
  // In order of preference, if there are several.
  const known = fileNames(layout)
  const found = (files: FilePort, file: string): Found => ({
    directories: [dirname(file), dirname(dirname(file))],
    notes: [],
    open() {
      const source = open(files, file)
      try {
        // Of a large header only once: each time it is read it takes its memory again.
        const metadata = source.metadata ?? metadataOf(files, file)
        return { source: wrapSource(source, { metadata, notes: roundedNote(file, metadata) }) }
      } catch (error) {
        source.close()
        throw error
      }
    },
  })
  return {
    title,
    byName: (files, path) => (isArtefactName(layout, path) ? found(files, path) : null),
    inDirectory(files, directory, names) {
      const direct = known.find((name) => names.includes(name))
      if (direct !== undefined) return found(files, join(directory, direct))
      if (!names.includes(layout.folder)) return null
      const inner = known.map((name) => join(directory, layout.folder, name)).find((file) => exists(files, file))
      return inner === undefined ? null : found(files, inner)
    },
  }
}

export const onnxArtefact = artefact(
  'onnx',
  'an ONNX file of albertkit (.onnx)',
  (files, file) => dequantised(openOnnxWeights(files, file)),
  (files, file) => onnxGraphNames(files, file).metadata,
)

export const tfliteArtefact = artefact(
  'tflite',
  'a TensorFlow Lite file of albertkit (.tflite)',
  openTfliteWeights,
  (files, file) => tfliteHead(files, file).metadata,
)

export const tfjsArtefact = artefact('tfjs', 'a tfjs model of albertkit (model.json)', openTfjsWeights, tfjsMetadata)
