import type { AlbertModel, Parameter } from '../../model/albert.js'
import { openGraph, type GraphSession } from '../../runtime/onnx/graph-session.js'
import { openGraphApart } from '../../runtime/onnx/process-graph.js'
import { gpuProvider } from '../../runtime/onnx/onnxruntime-gpu.js'
import type { Provider } from '../../runtime/onnx/packages.js'
import { buildSquares, buildSum, buildUpdate, buildCopy, outputName, VALUES } from '../../training/device-graphs.js'
import { buildGradients, type GradientsGraph } from '../../training/graphs.js'
import { DeviceTrainer, type DeviceSessions } from './device-trainer.js'
import { HostTrainer } from './host-trainer.js'
import { newState, type Trainer, type TrainerOptions } from './trainer.js'

async function openSessions(
  graph: GradientsGraph,
  values: ReadonlyMap<Parameter, Float32Array>,
  options: TrainerOptions,
  provider: Provider,
): Promise<DeviceSessions> {
  const variables = newState(graph, values, options)
  const open = (bytes: Uint8Array, name: string, onDevice: readonly string[]): Promise<GraphSession> =>
    openGraph(bytes, name, { provider, onDevice })
  const trained = variables.map(({ parameter }) => parameter)
  const copies = (parameters: readonly Parameter[]): string[] => parameters.map((p) => outputName('copy', p))
  const state = trained.flatMap((p) => VALUES.map((kind) => outputName(kind, p)))
  return {
    gradients: await open(
      graph.bytes,
      'gradients',
      graph.gradients.map(({ output }) => output),
    ),
    weightsIn: await open(buildCopy(graph.parameters), 'weights', copies(graph.parameters)),
    stateIn: await open(buildCopy(trained), 'state', copies(trained)),
    // onnxruntime-node ends the process if a tensor on the device is asked for its data.
    out: await open(buildCopy(trained), 'out', []),
    sum: await open(
      buildSum(variables),
      'sum',
      trained.map((p) => outputName('sum', p)),
    ),
    squares: await open(buildSquares(variables), 'squares', []),
    update: await open(buildUpdate(variables, options.settings), 'update', state),
  }
}

/**
 * Opens a trainer: on the CPU, or on a GPU, where WebGPU keeps weights and the optimizer's state on the device.
 * @param values weights in their stored order; changed by training
 * @throws AlbertkitError `environment` if onnxruntime or the GPU is absent
 */
export async function openTrainer(
  model: AlbertModel,
  values: ReadonlyMap<Parameter, Float32Array>,
  options: TrainerOptions,
): Promise<Trainer> {
  const { heads, loss, frozen, dropout, threads = 1, gpu, apart = false } = options
  const graph = buildGradients(model, {
    heads,
    loss,
    isTrainable: (parameter) => frozen?.has(parameter) !== true,
    ...(dropout === undefined ? {} : { dropout }),
  })
  const provider = gpu === undefined ? undefined : await gpuProvider(gpu.name, gpu.options)
  if (provider?.id === 'webgpu')
    return new DeviceTrainer(graph, await openSessions(graph, values, options, provider), values, options)
  if (apart && gpu === undefined)
    return new HostTrainer(graph, await openGraphApart(graph.bytes, 'gradients'), values, options)
  const session = await openGraph(graph.bytes, 'gradients', {
    threads,
    ...(provider === undefined ? {} : { provider }),
  })
  return new HostTrainer(graph, session, values, options)
}
