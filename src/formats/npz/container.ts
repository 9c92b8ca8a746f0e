import { dirname } from '../core/paths.js'
import type { Container } from '../core/container.js'

/** Archives of NumPy arrays, as `np.savez` writes them: mostly goldens. */
export const npz: Container = {
  title: 'arrays of NumPy (.npz)',
  byName: (files, path) =>
    /\.npz$/i.test(path)
      ? {
          directories: [dirname(path)],
          notes: [],
          open: async (options) => ({ source: (await import('./source.js')).openNpz(files, path, options) }),
        }
      : null,
}
