// Each rule as a request goes: listener, host, path, Service, endpoints.
import { useMemo } from 'react'
import { Link } from '@tanstack/react-router'
import type { Serving } from '../../api/console'
import { KINDS } from '../../api/kinds'
import { useLive } from '../../api/live'
import type { EndpointSlice, Ingress, Service } from '../../api/types'
import { Card, Nothing, State } from '../../parts/basics'
import { useWords } from '../../words'
import { portOf } from '../gateways/state'
import { reaches, type Reach } from './address'

const SERVICE_NAME = 'kubernetes.io/service-name'

/** How many endpoints each Service has, and how many are ready. */
export function useEndpoints(namespace: string): Map<string, { ready: number; all: number }> {
  const slices = useLive<EndpointSlice>(KINDS.endpointSlice, namespace)
  return useMemo(() => {
    const by = new Map<string, { ready: number; all: number }>()
    for (const slice of slices.objects) {
      const name = slice.metadata.labels?.[SERVICE_NAME] ?? ''
      const count = by.get(name) ?? { ready: 0, all: 0 }
      for (const endpoint of slice.endpoints ?? []) {
        count.all += 1
        if (endpoint.conditions?.ready !== false) count.ready += 1
      }
      by.set(name, count)
    }
    return by
  }, [slices.objects])
}

export function Flow({ route, gateway }: { route: Ingress; gateway: Serving | undefined }) {
  const { t } = useWords()
  const namespace = route.metadata.namespace ?? ''
  const services = useLive<Service>(KINDS.service, namespace)
  const endpoints = useEndpoints(namespace)
  const all = reaches(route, gateway)
  const hosts = [...new Set(all.map((it) => it.host))]
  if (all.length === 0) return <div className="card"><Nothing title={t('flow.none')}>{t('flow.noneAbout')}</Nothing></div>
  return (
    <div className="stack">
      {hosts.map((host) => (
        <Card key={host} title={<span className="row">{host || t('routes.anyHost')} {all.find((it) => it.host === host)?.protocol === 'https' && <span className="chip">https</span>}</span>}>
          <div className="stack">
            {all
              .filter((it) => it.host === host)
              .map((reach) => (
                <Line key={`${reach.path} ${reach.service} ${reach.port}`} reach={reach} gateway={gateway} service={services.objects.find((it) => it.metadata.name === reach.service)} known={!services.loading && !services.error} endpoints={endpoints.get(reach.service)} namespace={namespace} />
              ))}
          </div>
        </Card>
      ))}
    </div>
  )
}

interface LineProps {
  reach: Reach
  gateway: Serving | undefined
  service: Service | undefined
  known: boolean
  endpoints: { ready: number; all: number } | undefined
  namespace: string
}

function Line({ reach, gateway, service, known, endpoints, namespace }: LineProps) {
  const { t } = useWords()
  const missing = known && !service
  const ready = endpoints?.ready ?? 0
  return (
    <ol className="flow" aria-label={`${reach.host}${reach.path}`}>
      <Step kind={t('flow.listener')} is={`${reach.protocol.toUpperCase()} ${(gateway && portOf(gateway, reach.protocol)) ?? ''}`} under={gateway?.addresses[0]} />
      <Step kind={t('rules.path')} is={<code>{reach.path}</code>} under={reach.secret && `${t('rules.secret')}: ${reach.secret}`} />
      <Step bad={missing} kind={t('rules.service')} is={missing ? reach.service : <Link to={`/projects/${namespace}/services/${reach.service}`}>{reach.service}</Link>} under={missing ? t('trouble.noService', { what: reach.service }) : `${t('rules.port')} ${reach.port}`} />
      {service?.spec.type === 'ExternalName' ? (
        <Step kind={t('flow.endpoints')} is={service.spec.externalName} />
      ) : (
        <Step bad={known && ready === 0} kind={t('flow.endpoints')} is={<State tone={ready > 0 ? 'good' : 'bad'}>{t('flow.ready', { ready, all: endpoints?.all ?? 0 })}</State>} />
      )}
    </ol>
  )
}

const Step = ({ kind, is, under, bad }: { kind: string; is: React.ReactNode; under?: React.ReactNode; bad?: boolean }) => (
  <li>
    <div className={`step ${bad ? 'bad' : ''}`}>
      <div className="kind">{kind}</div>
      <div className="is">{is}</div>
      {under && <div className="faint wrap">{under}</div>}
    </div>
  </li>
)
