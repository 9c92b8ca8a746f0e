import { unsupported, usage, type AlbertkitError } from '../../base/errors.js'
import type { Container, Found } from '../core/container.js'
import type { FilePort } from '../core/file-port.js'
import { basename, dirname, join } from '../core/paths.js'
import { openGraphDef } from './source.js'

/** Files of a SavedModel or Hub module that are not frozen graphs. */
const NOT_GRAPHS = new Set(['saved_model.pb', 'fingerprint.pb', 'tfhub_module.pb', 'keras_metadata.pb'])

const isGraph = (name: string): boolean => name.endsWith('.pb') && !NOT_GRAPHS.has(name)

const found = (files: FilePort, path: string): Found => ({
  directories: [dirname(path)],
  notes: [],
  open: () => ({ source: openGraphDef(files, path) }),
})

const isText = (name: string): boolean => name.endsWith('.pbtxt')

/** Names of a checkpoint's files: next to a graph in text form, they hold the weights. */
const HOLDS_WEIGHTS = /\.(index|ckpt|meta|data-\d{5,}-of-\d{5,})$|^(checkpoint|variables)$/

/** Error for a graph in text form, which exists to be read by humans and rarely holds weights. */
const textForm = (path: string, beside: readonly string[]): AlbertkitError =>
  unsupported('graphs in text form are not read', {
    code: 'format-unsupported',
    file: path,
    hint: beside.some((name) => HOLDS_WEIGHTS.test(name))
      ? 'the weights are in the checkpoint beside it: give its directory'
      : 'save it as .pb: tf.io.write_graph(graph, directory, name, as_text=False)',
  })

export const graphDef: Container = {
  title: 'a frozen TensorFlow graph (.pb)',
  byName(files, path) {
    const name = basename(path)
    if (isText(name)) throw textForm(path, files.list(dirname(path)))
    return isGraph(name) ? found(files, path) : null
  },
  inDirectory(files, directory, names) {
    const graphs = names.filter(isGraph).sort()
    const [graph] = graphs
    if (graph === undefined) return null
    if (graphs.length === 1) return found(files, join(directory, graph))
    throw usage(`${directory} holds several graphs: ${graphs.join(', ')}`, {
      code: 'choice-ambiguous',
      hint: 'give the one you mean',
    })
  },
  incomplete(_, directory, names) {
    const text = names.filter(isText).sort()[0]
    return text === undefined || names.includes('variables') ? null : textForm(join(directory, text), names)
  },
}
