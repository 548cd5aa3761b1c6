// Node ports that a gateway asks for and would not get: told at their fields, as far as it can be known before.
import { useMemo } from 'react'
import { KINDS } from '../../api/kinds'
import type { Condition, IngressGateway, Service } from '../../api/types'
import type { GatewayForm, NodePortRange } from '../../forms/gateway'
import { useTrial } from '../../parts/trial'

type PortField = 'httpPort' | 'httpsPort'
const FIELDS = [['http', 80, 'httpPort'], ['https', 443, 'httpsPort']] as const

const assigned = ({ status }: IngressGateway) => status?.conditions?.find((it) => it.type === 'AddressAssigned')
const read = (text: string | undefined, form: RegExp): NodePortRange | undefined => {
  const [, from, to] = form.exec(text ?? '') ?? []
  return from && to ? { from: Number(from), to: Number(to) } : undefined
}

/** What is said of ports that were asked for where others were given; nothing where all is as it was asked. */
export function refusedPorts(gateway: IngressGateway): Condition | undefined {
  const { access } = gateway.spec
  const said = assigned(gateway)
  const other = ([name, , field]: (typeof FIELDS)[number]) => {
    const [asked, given] = [access?.nodePorts?.[name], gateway.status?.ports?.find((it) => it.name === name)?.nodePort]
    return asked !== undefined && given !== undefined && asked !== given && field
  }
  return said && FIELDS.some(other) ? { ...said, type: 'NodePortsRefused' } : undefined
}

export interface KnownPorts {
  range: NodePortRange | undefined
  /** Ports that somebody else has. */
  taken: readonly PortField[]
}

/** A Service with these ports is tried: the API says of it what it would say of the gateway's own. */
export function useNodePorts(namespace: string, form: GatewayForm, gateway: IngressGateway | undefined): KnownPorts {
  const asked = FIELDS.filter(([name, , field]) => {
    const port = form[field]
    const given = gateway?.status?.ports?.find((it) => it.name === name)?.nodePort
    return form.type === 'NodePort' && port !== null && port >= 1 && port <= 65_535 && port !== given
  })
  const spec = { type: 'NodePort', ports: asked.map(([name, port, field]) => ({ name, port, nodePort: form[field] ?? 0 })) }
  const said = useTrial<Service>(KINDS.service, undefined, asked.length > 0 && form.httpPort !== form.httpsPort ? { metadata: { name: 'gateway-ports', namespace }, spec } : null)
  const told = gateway && read(assigned(gateway)?.message, /is not in the range (\d+) to (\d+)/)
  return useMemo(() => {
    const at = (index: number) => said.find((it) => it.field === `spec.ports[${index}].nodePort`)?.text
    const ranges = said.map((it) => read(it.text, /range of valid ports is (\d+)-(\d+)/))
    return { range: told ?? ranges.find((it) => it !== undefined), taken: asked.flatMap(([, , field], index) => (/already allocated/.test(at(index) ?? '') ? [field] : [])) }
  }, [said, told?.from, told?.to, JSON.stringify(asked)])
}
