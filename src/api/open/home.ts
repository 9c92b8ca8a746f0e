import { dirname } from 'node:path'
import { isGraphName } from '../../base/artefact-layout.js'

/** Directory of the model that a file of an artefact (`onnx/model.onnx`) belongs to; any other path itself. */
export const homeOf = (path: string): string => (isGraphName(path) ? dirname(dirname(path)) : path)
