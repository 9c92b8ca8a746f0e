/** `api/inference/process-pool.ts` in a browser: windows run in albertkit's worker. */
export { sequentialPool as openPool } from '../../api/inference/window.js'
