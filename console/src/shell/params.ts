import { useParams, useSearch } from '@tanstack/react-router'

/** A part of the address; empty where it has none of that name. */
export function useParam(name: string): string {
  return (useParams({ strict: false }) as Record<string, string | undefined>)[name] ?? ''
}

export function useQueryParam(name: string): string {
  const value = (useSearch({ strict: false }) as Record<string, unknown>)[name]
  return typeof value === 'string' ? value : ''
}
