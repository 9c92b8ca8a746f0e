import type { Runner } from '../../runtime/runners.js'

/** A runner without its functions, as it passes from thread to thread and from process to process. */
export type RunnerData = Omit<Runner, 'run' | 'close'>

export const runnerData = ({ name, detail, adapter, outputs, marks, inner, sequence }: Runner): RunnerData => ({
  ...{ name, detail, adapter, outputs, marks, inner },
  ...(sequence === undefined ? {} : { sequence }),
})
