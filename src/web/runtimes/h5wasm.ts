import { importRuntime } from './place.js'

/** `h5wasm` in a browser. */
const { default: library } = await importRuntime<{ readonly default: unknown }>('h5wasm/hdf5_hl.js', 'h5wasm')

export default library
