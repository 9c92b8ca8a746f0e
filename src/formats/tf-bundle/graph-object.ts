/** An object of a TrackableObjectGraph (trackable_object_graph.proto): its children and its variables. */
export interface GraphObject {
  readonly children: { readonly node: number; readonly name: string }[]
  readonly attributes: { readonly key: string; readonly fullName: string }[]
}
