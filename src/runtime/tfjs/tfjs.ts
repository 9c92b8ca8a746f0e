import { readFileSync } from 'node:fs'
import type { GraphModel } from '@tensorflow/tfjs-converter'
import { malformed } from '../../base/errors.js'
import { inputShape, type ModelInputs } from '../../model/reference/run.js'
import { firstLine, type NamedTensor, type Runner } from '../runner.js'
import type { Adapter } from '../gpu/adapter.js'
import type { TfjsEngine } from './tfjs-backend.js'
import { graphNames, type GraphNames, type ModelJson } from './tfjs-names.js'
import { ioHandler } from './tfjs-weights.js'

class TfjsRunner implements Runner {
  readonly name: string
  readonly detail: string
  readonly adapter: Adapter | null
  readonly outputs: readonly string[]
  readonly marks: readonly string[]
  readonly inner: readonly string[]

  constructor(
    readonly engine: TfjsEngine,
    readonly model: GraphModel,
    readonly file: string,
    names: GraphNames,
  ) {
    ;({ name: this.name, detail: this.detail, adapter: this.adapter } = engine)
    ;({ outputs: this.outputs, marks: this.marks, inner: this.inner, nodes: this.nodes } = names)
  }

  readonly nodes: ReadonlyMap<string, string>

  async run(inputs: ModelInputs, wanted: readonly string[] = this.outputs): Promise<Map<string, NamedTensor>> {
    const { tf } = this.engine
    await this.engine.use()
    const rank = this.model.inputs.find(({ name }) => name === 'input_ids')?.shape?.length
    const shape = inputShape(inputs, rank === 3)
    const feeds = {
      input_ids: tf.tensor(inputs.input_ids, shape, 'int32'),
      attention_mask: tf.tensor(inputs.attention_mask, shape, 'int32'),
      token_type_ids: tf.tensor(inputs.token_type_ids, shape, 'int32'),
    }
    try {
      // Two names may refer to one node, which is then fetched once.
      const nodes = [...new Set(wanted.map((name) => this.nodes.get(name) ?? name))]
      const given = this.model.execute(feeds, nodes)
      const tensors = Array.isArray(given) ? given : [given]
      const values = new Map<string, NamedTensor>()
      for (const [i, tensor] of tensors.entries())
        values.set(nodes[i] ?? '', { shape: tensor.shape, data: (await tensor.data()) as Float32Array })
      tf.dispose(tensors)
      return new Map(
        wanted.flatMap((name) => {
          const value = values.get(this.nodes.get(name) ?? name)
          return value === undefined ? [] : [[name, value] as const]
        }),
      )
    } catch (error) {
      throw malformed(`TensorFlow.js cannot run the model: ${firstLine(error)}`, {
        code: 'artefact-rejected',
        file: this.file,
        cause: error,
      })
    } finally {
      tf.dispose(Object.values(feeds))
    }
  }

  close(): Promise<void> {
    this.model.dispose()
    return this.engine.close()
  }
}

/**
 * Loads a graph model in TensorFlow.js.
 * @throws AlbertkitError `malformed` if it does not load
 */
export async function openTfjs(file: string, engine: TfjsEngine): Promise<Runner> {
  try {
    const json = JSON.parse(readFileSync(file, 'utf8')) as ModelJson
    const model = await engine.loadGraphModel(ioHandler(file, json))
    return new TfjsRunner(engine, model, file, graphNames(json))
  } catch (error) {
    await engine.close()
    throw malformed(`TensorFlow.js does not load the model: ${firstLine(error)}`, {
      code: 'artefact-rejected',
      file,
      cause: error,
    })
  }
}
