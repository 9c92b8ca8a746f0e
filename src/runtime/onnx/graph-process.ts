import { failureOf, type Failure } from '../../base/error-transfer.js'
import { openGraph, type GraphResults, type GraphSession, type GraphTensor } from './graph-session.js'

/** Process in which a graph of a `ProcessGraph` runs: it can be ended while a native runtime computes. */

/** A tensor on its way to the process. */
export type SentTensor =
  | { readonly type: 'floats'; readonly data: Float32Array; readonly dims: readonly number[] }
  | { readonly type: 'ids'; readonly data: Int32Array; readonly dims: readonly number[] }
  | { readonly type: 'bytes'; readonly data: Uint8Array; readonly dims: readonly number[] }

type Sent = Readonly<Record<string, SentTensor>>

export interface GraphRequest {
  readonly id: number
  readonly ask:
    | { readonly open: Uint8Array; readonly name: string }
    | { readonly keep: Sent }
    | { readonly feeds: Sent; readonly fetches: readonly string[] }
}

export type GraphAnswer = { readonly id: number } & ({ readonly results: GraphResults } | { readonly failure: Failure })

// Ctrl-C reaches the whole group: the process that started this one decides.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
// Nobody is left to use the results. `process.exit` would wait for the runtime.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))

let session: GraphSession | null = null

function tensorsOf(own: GraphSession, sent: Sent): Record<string, GraphTensor> {
  const tensorOf = (tensor: SentTensor): GraphTensor => {
    if (tensor.type === 'floats') return own.floats(tensor.data, tensor.dims)
    return tensor.type === 'ids' ? own.ids(tensor.data, tensor.dims) : own.bytes(tensor.data, tensor.dims)
  }
  return Object.fromEntries(Object.entries(sent).map(([name, tensor]) => [name, tensorOf(tensor)]))
}

async function answer(ask: GraphRequest['ask']): Promise<GraphResults> {
  if ('open' in ask) {
    session = await openGraph(ask.open, ask.name)
    return {}
  }
  const own = session!
  if ('keep' in ask) {
    await own.keep(tensorsOf(own, ask.keep))
    return {}
  }
  const results = await own.run(tensorsOf(own, ask.feeds), Object.fromEntries(ask.fetches.map((name) => [name, null])))
  return Object.fromEntries(Object.entries(results).map(([name, { data, dims }]) => [name, { data, dims }]))
}

process.on('message', ({ id, ask }: GraphRequest) => {
  answer(ask).then(
    (results) => process.send?.({ id, results } satisfies GraphAnswer),
    (error: unknown) => process.send?.({ id, failure: failureOf(error) } satisfies GraphAnswer),
  )
})
