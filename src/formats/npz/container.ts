import { dirname } from 'node:path'
import type { Container } from '../core/container.js'

/** Arrays of NumPy, as `np.savez` writes them: goldens, mostly. */
export const npz: Container = {
  title: 'arrays of NumPy (.npz)',
  byName: (path) =>
    /\.npz$/i.test(path)
      ? {
          directories: [dirname(path)],
          notes: [],
          open: async () => ({ source: await (await import('./source.js')).openNpz(path) }),
        }
      : null,
}
