/**
 * The types that the declarations in dist/ take from zod, so that an installed albertkit needs no zod: its code is bundled
 * into dist/vendor. The build puts this file in place of dist/vendor/zod.d.ts and stops at a name that is absent here.
 */
interface Typed<T> {
  readonly _output: T
}
export type $strip = unknown
export type $strict = unknown
export type $loose = unknown
export type ZodMiniType<T = unknown> = Typed<T>
export type ZodMiniString<_ = string> = Typed<string>
export type ZodMiniNumber<_ = number> = Typed<number>
export type ZodMiniNumberFormat = Typed<number>
export type ZodMiniInt = Typed<number>
export type ZodMiniBoolean<_ = boolean> = Typed<boolean>
export type ZodMiniUnknown = Typed<unknown>
export type ZodMiniNull = Typed<null>
export type ZodMiniLiteral<T> = Typed<T>
export type ZodMiniEnum<T> = Typed<T[keyof T]>
export type ZodMiniArray<T extends Typed<unknown>> = Typed<T['_output'][]>
export type ZodMiniNullable<T extends Typed<unknown>> = Typed<T['_output'] | null>
export interface ZodMiniOptional<T extends Typed<unknown>> extends Typed<T['_output'] | undefined> {
  readonly _optional: true
}
export type ZodMiniRecord<K extends Typed<PropertyKey>, V extends Typed<unknown>> = Typed<
  Record<K['_output'], V['_output']>
>
export type ZodMiniUnion<T extends readonly Typed<unknown>[]> = Typed<T[number]['_output']>
export type ZodMiniDiscriminatedUnion<T extends readonly Typed<unknown>[], _ = string> = ZodMiniUnion<T>
export type ZodMiniTuple<T extends readonly Typed<unknown>[], _ = null> = Typed<{ [K in keyof T]: T[K]['_output'] }>
type OptionalKeys<S> = { [K in keyof S]: S[K] extends { readonly _optional: true } ? K : never }[keyof S]
export type ZodMiniObject<S extends Readonly<Record<string, Typed<unknown>>>, _ = $strip> = Typed<
  { [K in Exclude<keyof S, OptionalKeys<S>>]: S[K]['_output'] } & { [K in OptionalKeys<S>]?: S[K]['_output'] }
>
export type Infer<T extends Typed<unknown>> = T['_output']
