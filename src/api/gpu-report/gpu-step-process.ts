import { runStep, type StepAnswer, type StepTask } from './step.js'

/** Process of one step, isolated because a runtime may crash or hang. */
const answer = (said: StepAnswer, then: () => void = () => undefined): void => void process.send?.(said, then)

process.once('message', (task: StepTask) => {
  void runStep(task, (part) => {
    answer({ part })
  }).then((done) => {
    // Threads of the runtime would keep the process alive.
    answer({ done }, () => process.exit(0))
  })
})
