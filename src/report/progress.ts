import type { ProgressStep } from '../base/abort.js'
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
