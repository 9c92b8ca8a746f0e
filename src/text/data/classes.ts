/**
 * Index of the class that a label names: by its name, by another name that the line gives, or by its number if no class
 * has that name. Undefined if there is none.
 */
export function classIndexOf(labels: readonly string[], label: string, labelName?: string): number | undefined {
  for (const name of [label, labelName]) {
    const index = name === undefined ? -1 : labels.indexOf(name)
    if (index !== -1) return index
  }
  return /^\d+$/.test(label) && Number(label) < labels.length ? Number(label) : undefined
}
