import { dirname } from '../core/paths.js'
import type { Container } from '../core/container.js'

/** Arrays of NumPy, as `np.savez` writes them: goldens, mostly. */
export const npz: Container = {
  title: 'arrays of NumPy (.npz)',
  byName: (files, path) =>
    /\.npz$/i.test(path)
      ? {
          directories: [dirname(path)],
          notes: [],
          open: async () => ({ source: (await import('./source.js')).openNpz(files, path) }),
        }
      : null,
}
