import { AlbertkitError } from '../../base/errors.js'
import type { Adapter, RunnerOptions } from '../../runtime/runners.js'
import { listAdapters } from '../../runtime/gpu/webgpu.js'
import { verifyModel } from '../verify/verify.js'

/** Result of a runtime on a small model; for WebGPU in Node, also the names of all adapters. */
export type Probe = Outcome & { readonly adapters?: readonly string[] }

type Outcome =
  | {
      readonly worked: true
      readonly ok: boolean
      readonly detail: string
      readonly adapter: Adapter | null
      readonly maxAbs: number | null
    }
  | { readonly worked: false; readonly kind: string; readonly reason: string; readonly fix: string | null }

/** Runner, and the model to try it on. */
export interface ProbeTask {
  readonly runner: string
  readonly model: string
  readonly options: RunnerOptions
}

async function run({ runner, model, options }: ProbeTask): Promise<Outcome> {
  try {
    const { ok, runtimes, comparisons } = await verifyModel(model, null, { ...options, runners: [runner] })
    const usual = comparisons.filter((c) => c.rows === undefined)
    const maxAbs = usual.some((c) => c.maxAbs === null) ? null : Math.max(...usual.map((c) => c.maxAbs ?? 0))
    const [runtime] = runtimes
    return { worked: true, ok, detail: runtime?.detail ?? '', adapter: runtime?.adapter ?? null, maxAbs }
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
    const known = error instanceof AlbertkitError
    return { worked: false, kind: known ? error.kind : 'unexpected', reason, fix: (known ? error.hint : null) ?? null }
  }
}

/** Runs a model in one runtime and compares it with the float64 reference; failures are results, not errors. */
export async function probe(task: ProbeTask): Promise<Probe> {
  const outcome = await run(task)
  if (task.runner !== 'tfjs-webgpu') return outcome
  return { ...outcome, adapters: await listAdapters().catch(() => []) }
}
