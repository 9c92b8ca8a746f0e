/**
 * Every failure a user can meet is one of these kinds. The exit code follows from the kind alone, so that a
 * pipeline can distinguish a broken file from a missing package without parsing messages.
 */
export type ErrorKind =
  /** The command line or the call asks for something that cannot be done as asked. Exit 2. */
  | 'usage'
  /** The input is damaged, truncated, contradictory or not what its name promises. Exit 3. */
  | 'malformed'
  /** The input is sound, but albertkit cannot handle what it holds. Exit 4. */
  | 'unsupported'
  /** The output could not be written, or something is already there. Exit 5. */
  | 'output'
  /** Something outside the input is absent: an optional package, a GPU. Exit 6. */
  | 'environment'
  /** A check ran and failed (parity, weights, gate). Exit 1. */
  | 'check'
  /** The user pressed Ctrl-C, or the process was asked to stop. Exit 130, of SIGTERM 143. */
  | 'interrupted'

/**
 * The closed list of error codes, stable across versions even if messages change.
 * `AlbertkitError.code`
 * and `error.code` of `--json` are keys of this table. Codes are grouped by the kind that they usually have.
 */
export const ERROR_CODES = {
  // usage (exit 2)
  'option-invalid': 'an option has a value that it does not take',
  'option-conflict': 'options, or an option and the input, do not go together',
  'option-missing': 'an option or an argument that this needs is absent',
  'choice-ambiguous': 'several models, configurations or files fit, and none is marked',
  'name-unknown': 'there is no preset, runner, head, column or label of this name',
  'task-unavailable': 'the model has no head for what is asked',
  'text-unusable': 'the text or the lines given cannot be used for what is asked',
  'vocabulary-missing': 'there is no vocabulary or tokenizer beside the model',
  'vocabulary-mismatch': 'the vocabulary does not fit the model',
  'labels-mismatch': 'labels and classes do not fit',
  'sequence-too-long': 'more tokens are asked for than the model has positions',
  // malformed (exit 3)
  'file-missing': 'there is no such file or directory',
  'file-unreadable': 'the file is there but cannot be read',
  'file-truncated': 'the file ends before its contents do',
  'file-changed': 'the file changed while it was read',
  'file-not-regular': 'a pipe, a device or a directory is in place of a file',
  'header-invalid': 'header, index or table of the file cannot be parsed or contradicts itself',
  'checksum-mismatch': 'stored and computed checksum differ',
  'range-invalid': 'a tensor lies outside of its file, overlaps another or has another size than its shape',
  'shape-mismatch': 'a tensor has another shape than is expected',
  'tensor-missing': 'a tensor that the model needs is absent',
  'tensor-unknown': 'a tensor takes part in the model in a way that is not known',
  'tensor-duplicate': 'two tensors have one name',
  'value-invalid': 'a value in the file is impossible',
  'limit-exceeded': 'the file asks for more than a limit of the reader allows',
  'path-escapes': 'a path in the file leads out of its folder',
  'model-not-found': 'the path holds no model',
  'not-a-model': 'the file is something else',
  'config-missing': 'there is no configuration beside the weights',
  'config-invalid': 'a field of the configuration is absent or impossible',
  'config-mismatch': 'configuration and weights, or configuration and graph, disagree',
  'tokenizer-invalid': 'the tokenizer cannot be read or lacks a token that every text needs',
  'record-invalid': 'a record or a line is damaged',
  'shard-mismatch': 'shards leave gaps, overlap, or belong to different runs',
  'manifest-invalid': 'a manifest cannot be read or says something else than is there',
  'golden-invalid': 'a golden file lacks inputs or outputs, or its values are impossible',
  'artefact-rejected': 'a runtime does not load or run the model file',
  // unsupported (exit 4)
  'family-unknown': 'the names belong to no known model family',
  'architecture-unsupported': 'the model computes something that albertkit does not',
  'format-unsupported': 'the container is sound but of a kind that is not read',
  'compression-unsupported': 'the data are compressed or encrypted in a way that is not read',
  'dtype-unsupported': 'the element type is none that weights have',
  'global-refused': 'a pickle asks for a global that is not on the list',
  'translation-impossible': 'the model cannot be said in the names or the form that is asked for',
  'tokenizer-unsupported': 'the tokenizer is of a kind that cannot be followed',
  'source-foreign': 'an artefact was not written by albertkit',
  // output (exit 5)
  'output-exists': 'something is there already',
  'output-failed': 'the output could not be written',
  'output-is-input': 'the output would replace a file of the input',
  // environment (exit 6)
  'package-missing': 'an optional package is not installed or does not load here',
  'device-missing': 'there is no GPU, browser or runtime of the kind that is asked for',
  'permission-denied': 'the operating system does not allow it',
  'service-unavailable': 'a service, Redis for instance, does not answer',
  'installation-damaged': 'a part of albertkit or of a package is missing from this installation',
  'process-failed': 'a thread or a process that albertkit started ended early',
  // check (exit 1)
  'parity-failed': 'outputs differ by more than their bound',
  'weights-differ': 'weights of an artefact are not those of the source',
  'gate-refused': 'rounded weights give other answers too often',
  // interrupted (exit 130, of SIGTERM 143)
  interrupted: 'the user or the system asked to stop',
} as const satisfies Readonly<Record<string, string>>

export type ErrorCode = keyof typeof ERROR_CODES
