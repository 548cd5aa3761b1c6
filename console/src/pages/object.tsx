// An object that is named somewhere, as a link to its page where it has one.
import { Link } from '@tanstack/react-router'
import { OTHERS } from './others/kinds'

export interface Named {
  kind: string
  namespace: string
  name: string
  /** Where several APIs have a kind of that name. */
  apiVersion?: string | undefined
}

export function ObjectLink({ of, inProject = false }: { of: Named; inProject?: boolean }) {
  const { kind, namespace, name } = of
  const to = pageOf(of)
  const text = `${kind} ${inProject || !namespace ? '' : `${namespace}/`}${name}`
  return to ? <Link to={to} className="wrap">{text}</Link> : <span className="wrap">{text}</span>
}

export function pageOf({ kind, namespace, name, apiVersion }: Named): string | undefined {
  const at = `/projects/${namespace}`
  if (!namespace) return undefined
  if (kind === 'Ingress') return `${at}/routes/${name}`
  if (kind === 'Service') return `${at}/services/${name}`
  if (kind === 'Secret') return `${at}/secrets`
  if (kind === 'IngressGateway') return `${at}/gateways/${namespace}/${name}`
  const group = apiVersion?.split('/')[0]
  const other = OTHERS.find((it) => it.kind.kind === kind && (group === undefined || it.kind.group === group))
  return other && `${at}/others/${other.slug}/${name}`
}
