import * as Args from '@oclif/core/args'

/**
 * An argument that stands on the command line. oclif takes one that is left out from standard input: in a pipeline
 * `verify MODEL` would read there the name of a directory.
 */
export const argument = Args.custom({ ignoreStdin: true })
