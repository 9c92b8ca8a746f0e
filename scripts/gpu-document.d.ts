export function gpuDocument(document: string, reports: readonly string[]): string
