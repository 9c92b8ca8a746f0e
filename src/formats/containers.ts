import { onnxArtefact, tfjsArtefact } from './artefact.js'
import type { Container } from './container.js'
import { safetensors } from './safetensors/container.js'
import { tfCheckpoint } from './tf-bundle/container.js'

/** Every container that is read; where a directory holds models of several, the first one here is taken. */
export const CONTAINERS: readonly Container[] = [tfCheckpoint, safetensors, onnxArtefact, tfjsArtefact]
