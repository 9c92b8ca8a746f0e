/** tar-stream behind one module, which the build bundles: installed, it brings 8 MB for a runtime that is not Node. */
export { extract } from 'tar-stream'
