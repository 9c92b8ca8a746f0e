import { archive } from '../archive/container.js'
import { onnxArtefact, tfjsArtefact, tfliteArtefact } from '../artefact.js'
import type { Container } from './container.js'
import { graphDef } from '../graph-def/container.js'
import { hdf5 } from '../hdf5/container.js'
import { npz } from '../npz/container.js'
import { safetensors } from '../safetensors/container.js'
import { savedModel } from '../saved-model/container.js'
import { tfCheckpoint } from '../tf-bundle/container.js'
import { tfV1 } from '../tf-v1/container.js'
import { torch } from '../torch/container.js'

/** Every container that is read; if a directory holds models of several, the first one here is taken. */
export const CONTAINERS: readonly Container[] = [
  tfCheckpoint,
  tfV1,
  savedModel,
  safetensors,
  torch,
  hdf5,
  graphDef,
  onnxArtefact,
  tfjsArtefact,
  tfliteArtefact,
  npz,
  archive,
]
