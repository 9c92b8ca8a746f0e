import type { ProgressStep } from '../base/abort.js'
import type { Transfer } from '../base/transfer.js'
import { count } from './format.js'

/** `1:05`, `2:03:04` */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const two = (n: number): string => String(n).padStart(2, '0')
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}

/**
 * Progress of a run over lines: `12,800 lines, 2,310 lines/s, 43 %, 0:07 left`.
 * @param part fraction of the input's bytes that is done; null if the size of the input is unknown
 */
export function progressText(lines: number, seconds: number, part: number | null): string {
  const rate = `${count(lines)} lines, ${count(Math.round(lines / Math.max(seconds, 0.001)))} lines/s`
  if (part === null || part <= 0) return rate
  return `${rate}, ${Math.floor(100 * part)} %, ${duration((seconds * (1 - part)) / part)} left`
}

/** A step on one line: `comparing weights of onnx:int8 (2 of 5)`. */
export function stepText({ stage, item, done, total, advice }: ProgressStep): string {
  const of = stage.startsWith('comparing') ? 'of ' : ''
  const about = item === null ? '' : ` ${of}${item}`
  const counted = total === null ? '' : ` (${count((done ?? 0) + 1)} of ${count(total)})`
  return `${stage}${about}${counted}${advice === null ? '' : `; ${advice}`}`
}

/** Cells of a bar. */
const BAR = 16

/** Bytes in units of ten: `312.4 MB`. */
const inMegabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

/**
 * A file that travels, on one line: `model.bin [#######---------] 389.0 of 890.4 MB, 43 %, 41.2 MB/s, 0:12 left`. The
 * time left is that of the whole file: a command that reads a part of it ends sooner.
 */
export function transferText({ file, present, size, fetched, seconds }: Transfer): string {
  const speed = fetched / Math.max(seconds, 0.001)
  const rate = `${inMegabytes(speed)}/s`
  if (size === null) return `${file} ${inMegabytes(present)}, ${rate}`
  const part = size === 0 ? 1 : present / size
  const full = Math.floor(BAR * part)
  const bar = `[${'#'.repeat(full)}${'-'.repeat(BAR - full)}]`
  const left = speed > 0 ? `, ${duration((size - present) / speed)} left` : ''
  const amount = `${(present / 1e6).toFixed(1)} of ${inMegabytes(size)}`
  return `${file} ${bar} ${amount}, ${Math.floor(100 * part)} %, ${rate}${left}`
}
