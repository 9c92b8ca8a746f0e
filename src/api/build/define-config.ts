import type { BuildConfig } from '../../schemas/build-config.js'

/** Gives back a configuration as it is: in `albertkit.config.ts`, editors then know its fields. */
export const defineConfig = (config: BuildConfig): BuildConfig => config
