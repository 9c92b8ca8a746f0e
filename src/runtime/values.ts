/** Values of an ONNX file that are no outputs and are to be made available. */
export interface InnerValues {
  /** By name: `hidden_state_<i>` … */
  readonly marks: readonly string[]
  /** Names of the values of inner operations, by their paths. */
  readonly inner: Readonly<Record<string, string>>
  /** What the graph gives anyway. */
  readonly outputs: readonly string[]
}

export const NO_VALUES: InnerValues = { marks: [], inner: {}, outputs: [] }
