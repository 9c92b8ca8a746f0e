import { withFlags } from './option-flags.js'
import type { Listener } from '../../api/inference/job.js'
import { installCommand } from '../../base/install-command.js'
import { installedVersion } from '../../base/optional-package.js'
import { progressText } from '../../report/progress.js'

/** Messages of a command: `talk` prints a line, `complain` also if the command is quiet; `progress` overwrites the last. */
export interface Talk {
  complain(line: string): void
  talk(line: string): void
  progress(line: string): void
}

const MAX_REPORTED = 20

const FASTEST = 'onnxruntime-node'

/** Warning that the fastest runtime is not used, with the command that installs it. */
const slowText = (): string =>
  installedVersion(FASTEST) === null
    ? `${FASTEST} is not installed: inference is about 4 × slower; ${installCommand(FASTEST)}`
    : `${FASTEST} does not load here: inference is about 4 × slower; see \`albertkit doctor\``

/** Reports the lines that cannot be used, the first twenty one by one. */
export function badLineReporter(
  talk: Talk,
  unit: 'line' | 'record' = 'line',
): (bad: { line: number; reason: string }) => void {
  let count = 0
  return ({ line, reason }) => {
    count++
    if (count <= MAX_REPORTED) talk.complain(`${unit} ${line}: ${withFlags(reason)}`)
    if (count === MAX_REPORTED) talk.complain(`further ${unit}s that cannot be used are not listed`)
  }
}

/** Number of lines above which the runtime is named. */
const HANDFUL = 256
/** Interval of progress lines in a log. */
const LOG_SECONDS = 30
/** Interval at which the progress on a terminal is updated. */
const SHOWN_SECONDS = 0.2

/**
 * Listener that reports the runtime, the lines that cannot be used, and the progress. It is silent if a pipe reads a
 * few lines with the fastest runtime, so that anything on stderr then needs attention.
 */
export function listenerOf(
  talk: Talk,
  {
    unit = 'line',
    maxSeqLength = 0,
  }: { readonly unit?: 'line' | 'record'; readonly maxSeqLength?: number | undefined },
): Listener {
  let start = performance.now()
  const terminal = process.stderr.isTTY
  let slow = false
  let [runner, logged, shown] = ['', 0, -Infinity]
  let [limit, isCutSaid] = [0, false]
  const sayRunner = (): void => {
    if (runner === '') return
    talk.talk(`running with ${runner}`)
    if (slow) talk.talk(slowText())
    runner = ''
  }
  return {
    onModel: ({ detail, fastest, maxLength, leftOut, tokenizer, vectors }) => {
      for (const note of leftOut) talk.talk(`note: ${withFlags(note)}`)
      slow = !fastest
      if (maxSeqLength > maxLength) talk.talk(`the model takes ${maxLength} tokens, not ${maxSeqLength}`)
      for (const note of tokenizer.notes ?? []) talk.talk(`note: ${withFlags(note)}`)
      runner = vectors === null ? detail : `${detail}; vectors: ${vectors.steps.join(', ')}`
      limit = maxLength
      // The time for opening the model does not count.
      start = performance.now()
      if (terminal || !fastest) sayRunner()
    },
    onNote: (note) => {
      talk.talk(withFlags(note))
    },
    onBad: badLineReporter(talk, unit),
    onProgress: ({ lines, part, cut }) => {
      if (cut > 0 && !isCutSaid) {
        talk.talk(`texts are truncated to ${limit} tokens; --max-seq-length changes that`)
        isCutSaid = true
      }
      if (lines > HANDFUL) sayRunner()
      const seconds = (performance.now() - start) / 1000
      if (terminal) {
        if (seconds - shown < SHOWN_SECONDS) return
        talk.progress(progressText(lines, seconds, part))
        shown = seconds
      } else if (seconds - logged >= LOG_SECONDS) {
        talk.talk(progressText(lines, seconds, part))
        logged = seconds
      }
    },
  }
}
