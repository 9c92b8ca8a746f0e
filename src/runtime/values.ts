/** Values of an ONNX file to be made available in addition to its outputs. */
export interface InnerValues {
  /** Marked values by name: `hidden_state_<i>` … */
  readonly marks: readonly string[]
  /** Value names of inner operations, by their paths. */
  readonly inner: Readonly<Record<string, string>>
  /** Outputs that the graph has already. */
  readonly outputs: readonly string[]
}

/** Names of the values that must be added as outputs. */
export const addedOutputs = ({ marks = [], inner = {}, outputs = [] }: Partial<InnerValues>): string[] =>
  [...new Set([...marks, ...Object.values(inner)])].filter((name) => !outputs.includes(name))

export const NO_VALUES: InnerValues = { marks: [], inner: {}, outputs: [] }
