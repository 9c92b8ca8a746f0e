/** Patterns of names: `*` stands for anything; a pattern without one fits the name itself and all below it. */
export function namePattern(pattern: string): (name: string) => boolean {
  const text = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')
  const whole = new RegExp(pattern.includes('*') ? `^${text}$` : `^${text.replace(/(\\\.|\/)$/, '')}([./].*)?$`)
  return (name) => whole.test(name)
}
