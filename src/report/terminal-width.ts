let columns = Infinity

/** Sets the width of the terminal that tables fit if they are given none: Infinity for a pipe, a file, or `--wide`. */
export function setTerminalWidth(width: number): void {
  columns = width
}

export const terminalWidth = (): number => columns
