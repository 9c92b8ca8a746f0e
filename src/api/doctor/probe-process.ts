import { probe, type ProbeTask } from './probe.js'

/** The process in which a runtime is tried: what crashes or hangs takes nothing else with it. */
process.once('message', (task: ProbeTask) => {
  void probe(task).then((answer) => {
    // Runtimes keep threads of their own; nothing is left to do once the answer is out.
    process.send?.(answer, () => process.exit(0))
  })
})
