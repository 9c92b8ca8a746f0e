import { utf8Bytes } from '../../base/bytes.js'
import { AlbertkitError } from '../../base/errors.js'
import type { PackedFiles } from '../../export/options.js'
import type { FilePort } from '../../formats/core/file-port.js'
import { readBytes } from '../../formats/core/file.js'
import { taskRow, type ResolvedTask } from '../../model/tasks.js'
import { loadTokenizer, tokenizerName } from '../../text/tokenizers/load.js'
import type { Tokenizer } from '../../text/tokenizers/tokenizer.js'
import { readLabels } from '../labels.js'
import type { OpenedModel } from '../open/open.js'
import { tokenizerHome } from '../open/tokenizer.js'
import { tokenizerOf } from './tokenizer-files.js'

type Vocabulary = NonNullable<PackedFiles['vocabulary']>

/** Text of a `vocab.txt` with the tokens of a tokenizer; null if they are no lines. */
function vocabularyLines(tokenizer: Tokenizer): string | null {
  if (tokenizer.kind !== 'wordpiece') return null
  const tokens = Array.from({ length: tokenizer.size }, (_, id) => tokenizer.tokenOf(id))
  return tokens.some((token) => token === undefined || /[\r\n]/.test(token)) ? null : `${tokens.join('\n')}\n`
}

/** The vocabulary in `file` as other programs read it; null if it cannot be used, which is said where it is copied. */
function vocabularyOf(files: FilePort, file: string): Vocabulary | null {
  const name = tokenizerName(file)
  const bytes = readBytes(files, file)
  if (name === 'vocab.txt') return { kind: 'wordpiece', name, bytes }
  if (name === 'spiece.model') return { kind: 'sentencepiece', name, bytes }
  try {
    const lines = vocabularyLines(loadTokenizer(files, file))
    return lines === null
      ? { kind: 'other', name, bytes }
      : { kind: 'wordpiece', name: 'vocab.txt', bytes: utf8Bytes(lines) }
  } catch (error) {
    if (error instanceof AlbertkitError) return null
    throw error
  }
}

/**
 * Labels and vocabulary of a model, for programs that read them in its file. The encoder alone, whose vectors no such
 * program reads, carries none: the vocabulary is a twentieth of an albert-tiny in four bits.
 * @throws AlbertkitError if the labels cannot be read or the named vocabulary does not exist
 */
export function packedFiles(opened: OpenedModel, vocabulary: string | undefined, task: ResolvedTask): PackedFiles {
  const { files } = opened
  const { own } = tokenizerOf({ files, directory: tokenizerHome(opened), vocabulary })
  const needed = own !== null && taskRow(task).heads.length > 0
  return { labels: readLabels(opened), vocabulary: needed ? vocabularyOf(files, own) : null }
}
