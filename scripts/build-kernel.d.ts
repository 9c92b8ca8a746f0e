export function kernelModule(wat: string): Promise<string>
