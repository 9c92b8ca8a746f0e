/** Least part of the words of a vocabulary that a vocabulary with case has in capitals. */
const LEAST = 0.02

/** True if a vocabulary has words in capitals as well as in lower case: text in lower case leaves them unused. */
export function hasCapitals(vocabulary: Iterable<string>): boolean {
  let [words, capitals] = [0, 0]
  for (const token of vocabulary) {
    if (!/^(##|\u2581)?[A-Za-z]{2,}$/.test(token)) continue
    words++
    if (/[A-Z]/.test(token)) capitals++
  }
  return capitals >= 2 && capitals >= LEAST * words
}

/** Remark on a vocabulary with capitals that text in lower case is given (BERT's `validate_case_matches_checkpoint`). */
export const CASE_NOTE =
  'the vocabulary has words in capitals, and text is lower-cased; if the model is a cased one: `lowerCase: false`'
