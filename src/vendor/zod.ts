/** zod behind one module, so that the build can bundle it: imported file by file it costs 50 ms of start time. */
export { z } from 'zod'
