export function kernelModule(wat: string, name?: string): Promise<string>
