import type { ProgressStep } from '../../base/abort.js'
import { answerRequests } from '../../base/asked-process.js'
import { runStep, type StepJob } from './steps.js'

/** Process in which a build does the steps of a model: several models at once, and a crash of one ends one. */

export interface StepRequest {
  readonly job: StepJob
}

process.env.ORT_DISABLE_TELEMETRY ??= '1'
answerRequests(({ job }: StepRequest, say) =>
  runStep(job, (step: ProgressStep) => {
    say(step)
  }),
)
