/** cli-table3 behind one module, which the build bundles: it is eleven CommonJS files. */
export { default } from 'cli-table3'
