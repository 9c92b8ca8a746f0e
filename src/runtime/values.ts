/** Values of an ONNX file that are no outputs and are to be made available. */
export interface InnerValues {
  /** By name: `hidden_state_<i>` … */
  readonly marks: readonly string[]
  /** Names of the values of inner operations, by their paths. */
  readonly inner: Readonly<Record<string, string>>
  /** What the graph gives anyway. */
  readonly outputs: readonly string[]
}

/** Names of the values that become outputs for this. */
export const addedOutputs = ({ marks = [], inner = {}, outputs = [] }: Partial<InnerValues>): string[] =>
  [...new Set([...marks, ...Object.values(inner)])].filter((name) => !outputs.includes(name))

export const NO_VALUES: InnerValues = { marks: [], inner: {}, outputs: [] }
