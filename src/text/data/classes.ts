/**
 * Index of the class that a label names: by the label, by the line's second name for it, or, if no class has either
 * name, by the label as a number. Undefined if no class matches.
 */
export function classIndexOf(labels: readonly string[], label: string, labelName?: string): number | undefined {
  for (const name of [label, labelName]) {
    const index = name === undefined ? -1 : labels.indexOf(name)
    if (index !== -1) return index
  }
  return /^\d+$/.test(label) && Number(label) < labels.length ? Number(label) : undefined
}
