// A route: where it leads, how it is reached, and where it breaks.
import { useMemo, useState } from 'react'
import { Link, useNavigate } from '@tanstack/react-router'
import type { Serving } from '../../api/console'
import { KINDS } from '../../api/kinds'
import { useLive, useOne } from '../../api/live'
import { useMay, useRights } from '../../api/rights'
import type { Event, Ingress } from '../../api/types'
import { canariesOf, isCanary, primaryOf, shareOf } from '../../forms/canary'
import { aliasOf, CREATOR, descriptionOf } from '../../forms/names'
import { Card, Facts, Loading, Page, When, type Crumb } from '../../parts/basics'
import { Command } from '../../parts/command'
import { DetailTabs, Events, Metadata } from '../../parts/details'
import { Gone } from '../../parts/gone'
import { Actions } from '../../parts/menu'
import { useParam, useQueryParam } from '../../shell/params'
import { useWords } from '../../words'
import { RouteAccess } from './access'
import { addressesOf, classOf, gatewayOf } from './address'
import type { EditWhat } from './edit'
import { Flow } from './flow'
import { RouteDialog, useRouteActions } from './list'
import { useServing } from '../gateways/serving'
import { usePast } from '../past'
import { scopeWord } from '../gateways/state'

export function RouteDetail() {
  const { t } = useWords()
  const navigate = useNavigate()
  const [project, name] = [useParam('project'), useParam('name')]
  const tab = useQueryParam('tab') || 'status'
  const rights = useRights(project)
  const { object: route, objects: all, loading, error } = useOne<Ingress>(KINDS.ingress, project, name)
  const { serving } = useServing(project)
  const [doing, setDoing] = useState<EditWhat | 'delete' | null>(null)
  const actions = useRouteActions(project, rights, setDoing)
  const base = `/projects/${project}/routes`
  const crumbs: Crumb[] = [{ text: project, to: `/projects/${project}` }, { text: t('routes.title'), to: base }]
  if (loading) return <Loading />
  if (error || !route) return <Gone name={name} crumbs={crumbs} error={error} />
  const gateway = gatewayOf(route, serving)
  const primary = primaryOf(route, all)
  const close = () => setDoing(null)
  return (
    <Page
      title={aliasOf(route) || name}
      beside={isCanary(route) && <CanaryChip canary={route} primary={primary} project={project} />}
      about={descriptionOf(route)}
      crumbs={[...crumbs, ...(aliasOf(route) ? [{ text: name }] : [])]}
      actions={
        <>
          <Command text={[`kubectl get ingress ${name} -n ${project} -o yaml`, `kubectl describe ingress ${name} -n ${project}`]} />
          <Actions of={actions(route)} label={name} text={t('do.manage')} />
        </>
      }
    >
      <div className="stack">
        <Card>
          <Facts
            of={[
              [t('routes.address'), addressesOf(route).length > 0 && <span className="mono">{addressesOf(route).join(', ')}</span>],
              [t('routes.gateway'), gateway ? <GatewayLink gateway={gateway} project={project} /> : classOf(route) && t('routes.servedBy', { name: classOf(route) })],
              [t('nav.project'), project],
              [t('meta.created'), <When at={route.metadata.creationTimestamp} />],
              route.metadata.annotations?.[CREATOR] !== undefined && [t('meta.creator'), route.metadata.annotations[CREATOR]],
            ]}
          />
        </Card>
        <DetailTabs
          active={tab}
          onChange={(key) => void navigate({ to: `${base}/${name}`, search: { tab: key }, replace: true })}
          tabs={[
            { key: 'status', label: t('gateway.status'), children: <Flow route={route} canaries={canariesOf(route, all)} gateway={gateway} /> },
            { key: 'access', label: t('access.title'), children: <RouteAccess route={route} gateway={gateway} /> },
            { key: 'metadata', label: t('meta.title'), children: <Metadata object={route} /> },
            { key: 'events', label: t('events.title'), children: <RouteEvents route={route} project={project} /> },
          ]}
        />
      </div>
      {doing && <RouteDialog what={doing} route={route} all={all} onClose={close} onDeleted={() => void navigate({ to: base })} />}
    </Page>
  )
}

function RouteEvents({ route, project }: { route: Ingress; project: string }) {
  const { objects } = useLive<Event>(KINDS.event, project)
  const own = useMemo(() => objects.filter((it) => it.involvedObject?.uid === route.metadata.uid), [objects, route.metadata.uid])
  return <Events of={route} past={usePast(own, project)} />
}

/** To its page, for who may see it. */
function GatewayLink({ gateway: { namespace, name, scope }, project }: { gateway: Serving; project: string }) {
  const { t } = useWords()
  const may = useMay('get', KINDS.ingressGateway, namespace, name)
  const title = t(scopeWord(scope))
  return may ? <Link to={`/projects/${project}/gateways/${namespace}/${name}`}>{title}</Link> : <>{title}</>
}

function CanaryChip({ canary, primary, project }: { canary: Ingress; primary: Ingress | undefined; project: string }) {
  const { t } = useWords()
  const share = shareOf(canary)
  if (!primary) return <span className="chip jade">{t('routes.canary', { share })}</span>
  const { name } = primary.metadata
  return (
    <Link to={`/projects/${project}/routes/${name}`} className="chip jade">
      {t('routes.canaryOf', { name, share })}
    </Link>
  )
}
