import { execFileSync } from 'node:child_process'

const processes = (): readonly (readonly [pid: number, parent: number, state: string])[] =>
  execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((row) => {
      const [pid, parent, state = ''] = row.trim().split(/\s+/)
      return [Number(pid), Number(parent), state]
    })

/** Processes that a process started. */
export const childrenOf = (parent: number | undefined): readonly number[] =>
  processes().flatMap(([pid, own]) => (own === parent ? [pid] : []))

/** Processes that run; one that has ended stays in the list until its parent asks for it. */
export const running = (pids: readonly number[]): readonly number[] =>
  processes().flatMap(([pid, , state]) => (pids.includes(pid) && !state.startsWith('Z') ? [pid] : []))
