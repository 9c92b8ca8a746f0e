/** What LiteRT prints, kept instead of printed: it says there why it refuses a graph. */
export function keepPrinted(): { readonly print: (line: string) => void; readonly printed: () => string[] } {
  let lines: string[] = []
  return {
    print: (line) => {
      lines.push(line)
    },
    printed: () => {
      const taken = lines
      lines = []
      return taken
    },
  }
}
