/** Patterns of names: `*` matches anything; a pattern without one matches the name and everything below it. */
export function namePattern(pattern: string): (name: string) => boolean {
  const text = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')
  const whole = new RegExp(pattern.includes('*') ? `^${text}$` : `^${text.replace(/(\\\.|\/)$/, '')}([./].*)?$`)
  return (name) => whole.test(name)
}
