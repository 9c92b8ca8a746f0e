import { useEffect, useRef, useState } from 'preact/hooks'
import type { Runnable, TextReading, TextRequest } from '../../api/page/report.js'
import type { Kit } from '../kit/kit.js'

/** What a runtime said of a text, or why it said nothing. */
export interface Outcome {
  readonly runnable: Runnable
  /** Request that was answered. */
  readonly request: TextRequest
  readonly reading: TextReading | null
  readonly error: Error | null
  /** Time that loading took, when it was loaded. */
  readonly openMilliseconds: number
}

export const keyOf = ({ runner, file }: Runnable): string => `${runner} ${file ?? ''}`

/** What is asked, of whom. */
interface Asked {
  readonly request: TextRequest | null
  readonly runnables: readonly Runnable[]
}

export interface Readings {
  readonly outcomes: ReadonlyMap<string, Outcome>
  /** What is being loaded or computed; null if nothing is. */
  readonly busy: Runnable | null
}

/** Answers of several runtimes to what is typed: one after the other, the newest text only. */
export function useReadings(kit: Kit, path: string, { request, runnables }: Asked): Readings {
  const [outcomes, setOutcomes] = useState<ReadonlyMap<string, Outcome>>(new Map())
  const [busy, setBusy] = useState<Runnable | null>(null)
  const wanted = useRef<Asked>({ request: null, runnables: [] })
  const isRunning = useRef(false)
  const latest = useRef(outcomes)
  const keep = (outcome: Outcome): void => {
    latest.current = new Map([...latest.current, [keyOf(outcome.runnable), outcome]])
    setOutcomes(latest.current)
  }
  const answer = async (asked: TextRequest, runnable: Runnable): Promise<void> => {
    const before = latest.current.get(keyOf(runnable))
    if (before?.request === asked) return
    setBusy(runnable)
    const common = { runnable, request: asked }
    try {
      const reading = await kit.readText(path, asked, { runnable })
      const openMilliseconds = before?.reading == null ? reading.openMilliseconds : before.openMilliseconds
      keep({ ...common, reading, error: null, openMilliseconds })
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error))
      keep({ ...common, reading: null, error: cause, openMilliseconds: 0 })
    }
  }
  const drain = async (): Promise<void> => {
    if (isRunning.current) return
    isRunning.current = true
    for (let next: Asked | null = wanted.current; next !== null;) {
      const current: Asked = next
      const { request: asked } = current
      for (const runnable of current.runnables) {
        if (asked !== null && wanted.current === current) await answer(asked, runnable)
      }
      next = wanted.current === current ? null : wanted.current
    }
    isRunning.current = false
    setBusy(null)
  }
  useEffect(() => {
    wanted.current = { request, runnables }
    void drain()
  }, [request, runnables])
  return { outcomes, busy }
}

/** Largest difference of two runtimes' outputs; null if they are no outputs of the same text. */
export function farthest(a: Float32Array, b: Float32Array): number | null {
  if (a.length !== b.length) return null
  let most = 0
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!))
  return most
}
