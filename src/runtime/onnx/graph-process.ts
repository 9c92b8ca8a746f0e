import { answerRequests } from '../../base/asked-process.js'
import { openGraph, type GraphResults, type GraphSession, type GraphTensor } from './graph-session.js'

/** Process in which a graph of a `ProcessGraph` runs: it can be ended while a native runtime computes. */

/** A tensor on its way to the process. */
export type SentTensor =
  | { readonly type: 'floats'; readonly data: Float32Array; readonly dims: readonly number[] }
  | { readonly type: 'ids'; readonly data: Int32Array; readonly dims: readonly number[] }
  | { readonly type: 'bytes'; readonly data: Uint8Array; readonly dims: readonly number[] }

type Sent = Readonly<Record<string, SentTensor>>

/** `open` is the first request. */
export type GraphRequest =
  | { readonly open: Uint8Array; readonly name: string }
  | { readonly keep: Sent }
  | { readonly feeds: Sent; readonly fetches: readonly string[] }

export interface GraphReply {
  readonly detail: string
  readonly results: GraphResults
}

let session: GraphSession | null = null

function tensorsOf(own: GraphSession, sent: Sent): Record<string, GraphTensor> {
  const tensorOf = (tensor: SentTensor): GraphTensor => {
    if (tensor.type === 'floats') return own.floats(tensor.data, tensor.dims)
    return tensor.type === 'ids' ? own.ids(tensor.data, tensor.dims) : own.bytes(tensor.data, tensor.dims)
  }
  return Object.fromEntries(Object.entries(sent).map(([name, tensor]) => [name, tensorOf(tensor)]))
}

async function answer(request: GraphRequest): Promise<GraphReply> {
  if ('open' in request) session = await openGraph(request.open, request.name)
  const own = session!
  const { detail } = own
  if ('keep' in request) await own.keep(tensorsOf(own, request.keep))
  if (!('feeds' in request)) return { detail, results: {} }
  const fetches = Object.fromEntries(request.fetches.map((name) => [name, null]))
  const results = Object.entries(await own.run(tensorsOf(own, request.feeds), fetches))
  return { detail, results: Object.fromEntries(results.map(([name, { data, dims }]) => [name, { data, dims }])) }
}

answerRequests(answer)
