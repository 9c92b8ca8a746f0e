/**
 * A tree of words by their characters. Most of its nodes have one child, which is kept without a map: a vocabulary that
 * was made to fill the memory has millions of them.
 */
export interface CharNode {
  /** The only child, and its character; unused if there are several. */
  char: string
  child: CharNode | undefined
  next: Map<string, CharNode> | null
  /** Value of the word that ends here, or -1. */
  value: number
}

export const newTrie = (): CharNode => ({ char: '', child: undefined, next: null, value: -1 })

/** Node behind `node` by a character. */
export const follow = (node: CharNode, char: string): CharNode | undefined =>
  node.next !== null ? node.next.get(char) : node.char === char ? node.child : undefined

/** Adds a word; a value that the word has is replaced. */
export function insertWord(root: CharNode, word: string, value: number): void {
  let node = root
  for (const char of word) {
    const known = follow(node, char)
    if (known !== undefined) {
      node = known
      continue
    }
    const made = newTrie()
    if (node.next !== null) node.next.set(char, made)
    else if (node.child === undefined) [node.char, node.child] = [char, made]
    else {
      node.next = new Map([
        [node.char, node.child],
        [char, made],
      ])
      node.child = undefined
    }
    node = made
  }
  node.value = value
}
