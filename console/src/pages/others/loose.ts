// Reading objects of which only the outline is known.
export type Any = Record<string, unknown>
export const list = (it: unknown): Any[] => (Array.isArray(it) ? (it as Any[]) : [])
export const strings = (it: unknown): string[] => (Array.isArray(it) ? it.map(String) : [])
export const text = (it: unknown): string => (it === undefined || it === null ? '' : String(it))
