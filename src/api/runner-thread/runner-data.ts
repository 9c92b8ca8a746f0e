import type { ModelInputs } from '../../model/reference/run.js'
import type { NamedTensor, RunnableFile, Runner, RunnerOptions } from '../../runtime/runners.js'

/** A runner without its functions, as it passes from thread to thread and from process to process. */
export type RunnerData = Omit<Runner, 'run' | 'close'>

export const runnerData = ({ name, detail, adapter, outputs, marks, inner, sequence }: Runner): RunnerData => ({
  ...{ name, detail, adapter, outputs, marks, inner },
  ...(sequence === undefined ? {} : { sequence }),
})

/** Request to a process with a runner; `open` is the first. */
export type ProcessRequest =
  | { readonly open: { readonly name: string; readonly what: RunnableFile; readonly options: RunnerOptions } }
  | { readonly inputs: ModelInputs; readonly wanted: readonly string[] | undefined }

export type ProcessReply = { readonly runner: RunnerData } | { readonly outputs: ReadonlyMap<string, NamedTensor> }
