import { parentPort, workerData } from 'node:worker_threads'
import { failureOf, type Failure } from '../../base/error-transfer.js'
import type { Parameter } from '../../model/albert.js'
import { wordRanks, type WordRanks } from '../../model/health/rank.js'
import { RemoteSource, type Remote } from '../reference/remote-source.js'

/** Thread that estimates the ranks of word embeddings and ends (`ranks.ts`). */

export interface RanksTask {
  readonly word: Parameter
  readonly projection: Parameter | null
  readonly remote: Remote
}

export type RanksAnswer = { readonly ranks: WordRanks | null } | { readonly failure: Failure }

if (parentPort !== null) {
  const port = parentPort
  const { word, projection, remote } = workerData as RanksTask
  wordRanks(new RemoteSource(remote), word, projection).then(
    (ranks) => {
      port.postMessage({ ranks } satisfies RanksAnswer)
    },
    (error: unknown) => {
      port.postMessage({ failure: failureOf(error) } satisfies RanksAnswer)
    },
  )
}
