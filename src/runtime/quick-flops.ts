/** Floating-point operations that take up to about a quarter of a second in one thread of a runtime. */
export const QUICK_FLOPS = { native: 1e10, wasm: 2.5e9 } as const
