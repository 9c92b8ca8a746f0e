import { withFlags } from './option-flags.js'
import type { Listener } from '../../api/inference/job.js'
import { installCommand } from '../../base/install-command.js'
import { installedVersion } from '../../base/optional-package.js'
import { progressText } from '../../report/progress.js'

/** What the commands that read lines say while they do. */

export interface Talk {
  talk(line: string): void
  progress(line: string): void
}

const MAX_REPORTED = 20

const FASTEST = 'onnxruntime-node'

/** What a run without the fastest runtime costs, and what to do. */
const slowText = (): string =>
  installedVersion(FASTEST) === null
    ? `${FASTEST} is not installed: reading is about 4 × slower; ${installCommand(FASTEST)}`
    : `${FASTEST} does not load here: reading is about 4 × slower; \`albertkit doctor\` says more`

/** Says which lines cannot be used, the first twenty by one. */
export function badLineReporter(
  talk: Talk,
  unit: 'line' | 'record' = 'line',
): (bad: { line: number; reason: string }) => void {
  let count = 0
  return ({ line, reason }) => {
    count++
    if (count <= MAX_REPORTED) talk.talk(`${unit} ${line}: ${reason}`)
    if (count === MAX_REPORTED) talk.talk(`further ${unit}s that cannot be used are not named`)
  }
}

/** A reading of more lines is long enough for the runtime to be named. */
const HANDFUL = 256
/** How often a log gets a line about the progress that a terminal shows all the time. */
const LOG_SECONDS = 30
/** More often nobody can read it. */
const SHOWN_SECONDS = 0.2

/**
 * Says what runs the model, which lines cannot be used, and how far the reading is. A pipe that reads a handful of lines
 * with the fastest runtime is told nothing: what stands on stderr then is something to look at.
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
    talk.talk(`reading with ${runner}`)
    if (slow) talk.talk(slowText())
    runner = ''
  }
  return {
    onModel: ({ detail, fastest, maxLength, leftOut, tokenizer }) => {
      for (const note of leftOut) talk.talk(`note: ${withFlags(note)}`)
      slow = !fastest
      if (maxSeqLength > maxLength) talk.talk(`the model takes ${maxLength} tokens, not ${maxSeqLength}`)
      for (const note of tokenizer.notes ?? []) talk.talk(`note: ${withFlags(note)}`)
      runner = detail
      limit = maxLength
      // Opening the model is no reading.
      start = performance.now()
      if (terminal || !fastest) sayRunner()
    },
    onNote: (note) => {
      talk.talk(withFlags(note))
    },
    onBad: badLineReporter(talk, unit),
    onProgress: ({ lines, part, cut }) => {
      if (cut > 0 && !isCutSaid) {
        talk.talk(`a text of more than ${limit} tokens is cut off there; --max-seq-length changes that`)
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
