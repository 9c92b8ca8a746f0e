/** Numbers of a slot: the node it leads from, the UTF-16 unit, the node it leads to, the value of the word that ends there. */
const STRIDE = 4

const hash = (node: number, unit: number): number => Math.imul(Math.imul(node, 0x9e3779b1) ^ unit, 0x85ebca6b)

/**
 * A tree of words by their UTF-16 units, as a hash table in one array: a text is followed through it without an object
 * for a character, and a vocabulary that was made to fill the memory takes little.
 */
export class PieceTrie {
  #slots = new Int32Array(STRIDE << 10)
  #shift = 22
  #nodes = 1

  /** Slot of a unit behind `node`: its own, or the free one where it belongs. */
  #slotOf(node: number, unit: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    let at = (hash(node, unit) >>> this.#shift) * STRIDE
    while (slots[at + 2] !== 0 && (slots[at] !== node || slots[at + 1] !== unit)) at = (at + STRIDE) & mask
    return at
  }

  /** Slot that leads from `node` by a unit, or -1; `nodeAt` and `valueAt` tell where to. The first node is 0. */
  follow(node: number, unit: number): number {
    const at = this.#slotOf(node, unit)
    return this.#slots[at + 2] === 0 ? -1 : at
  }

  nodeAt(slot: number): number {
    return this.#slots[slot + 2]!
  }

  /** Value of the word that ends at a slot, or -1. */
  valueAt(slot: number): number {
    return this.#slots[slot + 3]!
  }

  /** Adds a word; a value that the word has is replaced. */
  add(word: string, value: number): void {
    let node = 0
    let at = -1
    for (let i = 0; i < word.length; i++) {
      const unit = word.charCodeAt(i)
      at = this.#slotOf(node, unit)
      if (this.#slots[at + 2] === 0) {
        if (2 * this.#nodes * STRIDE > this.#slots.length) {
          this.#grow()
          at = this.#slotOf(node, unit)
        }
        this.#slots.set([node, unit, this.#nodes++, -1], at)
      }
      node = this.#slots[at + 2]!
    }
    if (at !== -1) this.#slots[at + 3] = value
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new Int32Array(2 * old.length)
    this.#shift--
    for (let at = 0; at < old.length; at += STRIDE)
      if (old[at + 2] !== 0) this.#slots.set(old.subarray(at, at + STRIDE), this.#slotOf(old[at]!, old[at + 1]!))
  }
}
