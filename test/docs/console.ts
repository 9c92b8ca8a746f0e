/** Shell sessions in Markdown: fenced blocks marked `console`, a command after `$ `, then what it prints. */
export interface Step {
  readonly command: string
  readonly output: readonly string[]
}

export function readSessions(markdown: string): Step[][] {
  return [...markdown.matchAll(/^```console\n(.*?)^```$/gms)].map(([, block = '']) => {
    const steps: { command: string; output: string[] }[] = []
    for (const line of block.trimEnd().split('\n')) {
      if (line.startsWith('$ ')) steps.push({ command: line.slice(2), output: [] })
      else steps[steps.length - 1]?.output.push(line)
    }
    return steps
  })
}

/** A line of the documentation fits a printed one if `…` in it stands for anything. */
function fits(printed: string, expected: string): boolean {
  const [head = '', ...rest] = expected.split('…')
  if (rest.length === 0) return printed.trimEnd() === expected.trimEnd()
  if (!printed.startsWith(head)) return false
  return rest.every((part) => printed.includes(part.trim()))
}

/** Whether `printed` is `expected`, where a line `…` stands for any number of lines. */
export function matchesOutput(printed: readonly string[], expected: readonly string[]): boolean {
  if (expected.length === 0) return printed.join('').trim() === ''
  const match = (p: number, e: number): boolean => {
    if (e === expected.length) return p === printed.length
    if (expected[e] === '…') return e === expected.length - 1 || printed.some((_, i) => i >= p && match(i, e + 1))
    return p < printed.length && fits(printed[p] ?? '', expected[e] ?? '') && match(p + 1, e + 1)
  }
  return match(0, 0)
}
