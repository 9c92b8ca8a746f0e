/** snappyjs behind one module, which the build bundles. */
export { uncompress } from 'snappyjs'
