// Application workloads → Routes.
import { lazy, Suspense, useMemo, useState } from 'react'
import { Button, Grid, Switch, Tooltip } from 'antd'
import { DeleteOutlined, EditOutlined, FileTextOutlined, PlusOutlined, TagsOutlined } from '@ant-design/icons'
import { Link, useNavigate } from '@tanstack/react-router'
import { type Serving } from '../../api/console'
import { KINDS, type Kind } from '../../api/kinds'
import { useLive, type Live } from '../../api/live'
import { useRights, type Rights } from '../../api/rights'
import type { EndpointSlice, Event, Ingress, Service } from '../../api/types'
import { Nothing, Note, Page, State } from '../../parts/basics'
import { Command } from '../../parts/command'
import { DeleteDialog } from '../../parts/dialogs'
import { Actions } from '../../parts/menu'
import { canariesOf, goWith, isCanary, shareOf } from '../../forms/canary'
import { NameCell, ObjectTable, ageColumn, type Column } from '../../parts/table'
import { useAdmins, Why } from '../../parts/why'
import { useParam } from '../../shell/params'
import { useWords } from '../../words'
import { useTell } from '../../words/messages'
import { addressesOf, classOf, gatewayOf, hostsText, reaches } from './address'
import type { EditWhat } from './edit'
import { countEndpoints } from './flow'
import { useJudged } from './judged'
import { tell, troubles, warningsByObject, type Beside, type RouteTrouble } from './problems'
import { useServing } from '../gateways/serving'

/** Loaded when somebody edits: a list is shown without it. */
const EditDialog = lazy(() => import('./edit').then((it) => ({ default: it.EditDialog })))

export function RouteList() {
  const { t } = useWords()
  const navigate = useNavigate()
  const project = useParam('project')
  const rights = useRights(project)
  const live = useLive<Ingress>(KINDS.ingress, project)
  const { serving, known: gatewaysKnown } = useServing(project)
  const [onlyBad, setOnlyBad] = useState(false)
  const problemsOf = useProblems(project, rights, serving, live.objects)
  const columns = useColumns(project, serving, problemsOf)
  const base = `/projects/${project}/routes`
  const shown: Live<Ingress> = useMemo(() => (onlyBad ? { ...live, objects: live.objects.filter((it) => problemsOf(it).length > 0) } : live), [live, onlyBad, problemsOf])
  const mayCreate = rights.can('create', KINDS.ingress)
  const make = mayCreate && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => void navigate({ to: `${base}/new` })}>
      {t('routes.create')}
    </Button>
  )
  const menu = useMenu(project, rights, live.objects)
  return (
    <Page
      title={t('routes.title')}
      about={t('routes.about')}
      crumbs={[{ text: project, to: `/projects/${project}` }, { text: t('nav.workloads') }]}
      actions={
        <>
          <Command text={`kubectl get ingress -n ${project}`} />
          {make}
        </>
      }
    >
      <div className="stack">
        {gatewaysKnown && serving.length === 0 && <NoGateway project={project} rights={rights} />}
        <ObjectTable
          label={t('routes.title')}
          live={shown}
          columns={columns}
          text={textOf}
          menu={menu.cell}
          filters={
            <label className="row">
              <Switch size="small" checked={onlyBad} onChange={setOnlyBad} aria-label={t('routes.onlyBad')} /> {t('routes.onlyBad')}
            </label>
          }
          empty={
            onlyBad ? (
              <Nothing title={t('routes.noneBad')} action={<Button onClick={() => setOnlyBad(false)}>{t('routes.showAll')}</Button>} />
            ) : (
              <Nothing title={t('routes.none')} action={make || (rights.known && <Why project={project}>{t('routes.mayNot')}</Why>)}>
                {t('routes.noneAbout')}
              </Nothing>
            )
          }
        />
      </div>
      {menu.dialog}
    </Page>
  )
}

const textOf = (it: Ingress) => `${hostsText(it).join(' ')} ${addressesOf(it).join(' ')} ${classOf(it)}`

/** No gateway serves the project: a way there, or whom to ask. */
export function NoGateway({ project, rights }: { project: string; rights: Rights }) {
  const { t } = useWords()
  const admins = useAdmins(project)
  const may = rights.can('create', KINDS.ingressGateway)
  return (
    <Note tone="warn" action={may && <Link to={`/projects/${project}/gateways`}>{t('gateway.enable')}</Link>}>
      <b>{t('routes.noGateway')}</b>
      <p>{may ? t('routes.noGatewayMay') : admins.length > 0 ? t('routes.noGatewayAsk', { who: admins.join(', ') }) : t('routes.noGatewayAskAny')}</p>
    </Note>
  )
}

/** What is wrong with each route, found once for each state of what is beside it. */
function useProblems(project: string, rights: Rights, serving: Serving[], routes: readonly Ingress[]) {
  const seen = (kind: Kind) => (rights.can('list', kind) ? project : undefined)
  const services = useLive<Service>(KINDS.service, seen(KINDS.service))
  const slices = useLive<EndpointSlice>(KINDS.endpointSlice, seen(KINDS.endpointSlice))
  const events = useLive<Event>(KINDS.event, seen(KINDS.event))
  const judged = useJudged(routes, events.objects, rights.can('patch', KINDS.ingress))
  const known = rights.can('list', KINDS.service) && !services.loading && !services.error
  const counted = rights.can('list', KINDS.endpointSlice) && !slices.loading && !slices.error
  return useMemo(() => {
    const beside: Beside = {
      services: known ? new Map(services.objects.map((it) => [it.metadata.name, it])) : undefined,
      endpoints: counted ? countEndpoints(slices.objects) : undefined,
      routes,
      warnings: warningsByObject(events.objects),
      judged,
    }
    const found = new WeakMap<Ingress, RouteTrouble[]>()
    return (it: Ingress) => {
      const before = found.get(it) ?? troubles(it, beside, gatewayOf(it, serving) !== undefined)
      found.set(it, before)
      return before
    }
  }, [services.objects, slices.objects, events.objects, serving, routes, known, counted, judged])
}

function useColumns(project: string, serving: Serving[], problemsOf: (it: Ingress) => RouteTrouble[]): Column<Ingress>[] {
  const { t } = useWords()
  const narrow = Grid.useBreakpoint().md === false
  return useMemo(
    () => [
      { key: 'name', title: t('table.name'), cell: (it) => <><NameCell object={it} link={<RouteLink route={it} project={project} />} />{narrow && <div className="faint wrap">{hostsText(it).join(', ')}</div>}</>, by: (it) => it.metadata.name },
      { key: 'hosts', title: t('routes.hosts'), cell: (it) => <Hosts route={it} gateway={gatewayOf(it, serving)} />, by: (it) => hostsText(it)[0] ?? '', wide: true },
      { key: 'address', title: t('routes.address'), cell: (it) => <span className="mono">{addressesOf(it).join(', ') || '—'}</span>, by: (it) => addressesOf(it)[0] ?? '', wide: true },
      { key: 'state', title: t('table.state'), cell: (it) => <RouteState of={problemsOf(it)} other={gatewayOf(it, serving) ? '' : classOf(it)} />, by: (it) => -problemsOf(it).length },
      ageColumn(t('meta.created')),
    ],
    [t, project, serving, problemsOf, narrow],
  )
}

function RouteLink({ route, project }: { route: Ingress; project: string }) {
  const { t } = useWords()
  const { name } = route.metadata
  return (
    <span className="row">
      <Link to={`/projects/${project}/routes/${name}`}>{name}</Link>
      {isCanary(route) && <span className="chip jade">{t('routes.canary', { share: shareOf(route) })}</span>}
    </span>
  )
}

function Hosts({ route, gateway }: { route: Ingress; gateway: Serving | undefined }) {
  const { t } = useWords()
  const all = reaches(route, gateway).filter((it, index, every) => every.findIndex((one) => one.host === it.host) === index)
  return (
    <div className="hosts">
      {all.slice(0, 3).map((it) => (
        <div key={it.host} className="wrap">
          {it.url ? (
            <a href={it.url} target="_blank" rel="noreferrer">
              {it.host || t('routes.anyHost')}
            </a>
          ) : (
            it.host || t('routes.anyHost')
          )}{' '}
          {it.protocol === 'https' && <span className="chip">https</span>}
        </div>
      ))}
      {all.length > 3 && <span className="faint">{t('routes.more', { n: all.length - 3 })}</span>}
    </div>
  )
}

export function RouteState({ of, other }: { of: RouteTrouble[]; other: string }) {
  const words = useWords()
  const said = useTell()
  const { t } = words
  const first = of[0]
  const another = other && <State tone="quiet">{t('routes.servedBy', { name: other })}</State>
  if (!first) return another || <State tone="good">{t('routes.fine')}</State>
  const text = of.map((it) => tell(it, { ...words, said })).join(' · ')
  return (
    <Tooltip title={text}>
      <span tabIndex={0}>
        <State tone={of.some((it) => it.reason !== 'warned') ? 'bad' : 'warn'}>{of.length > 1 ? t('routes.problems', { n: of.length }) : t('routes.problem')}</State>
      </span>
    </Tooltip>
  )
}

/** What can be done with a route, in a row's menu and on its page. */
export function useRouteActions(project: string, rights: Rights, start: (what: EditWhat | 'delete', route: Ingress) => void) {
  const { t } = useWords()
  const navigate = useNavigate()
  const may = rights.can('patch', KINDS.ingress)
  return (route: Ingress) => [
    may && { key: 'information', text: t('routes.editInformation'), icon: <EditOutlined />, run: () => start('information', route) },
    may && { key: 'rules', text: t('routes.editRules'), icon: <EditOutlined />, run: () => start('rules', route) },
    may && { key: 'annotations', text: t('routes.editAnnotations'), icon: <TagsOutlined />, run: () => start('annotations', route) },
    { key: 'yaml', text: may ? t('routes.editYaml') : t('routes.showYaml'), icon: <FileTextOutlined />, run: () => void navigate({ to: `/projects/${project}/routes/${route.metadata.name}/yaml` }) },
    rights.can('delete', KINDS.ingress) && { key: 'delete', text: t('do.delete'), icon: <DeleteOutlined />, danger: true, run: () => start('delete', route) },
  ]
}

function useMenu(project: string, rights: Rights, all: readonly Ingress[]) {
  const [open, setOpen] = useState<{ what: EditWhat | 'delete'; route: Ingress } | null>(null)
  const actions = useRouteActions(project, rights, (what, route) => setOpen({ what, route }))
  return {
    cell: (route: Ingress) => <Actions of={actions(route)} label={route.metadata.name} />,
    dialog: open && <RouteDialog what={open.what} route={open.route} all={all} onClose={() => setOpen(null)} />,
  }
}

interface DialogProps {
  what: EditWhat | 'delete'
  route: Ingress
  /** All routes of the project: its canaries are among them. */
  all: readonly Ingress[]
  onClose: () => void
  onDeleted?: () => void
}

export function RouteDialog({ what, route, all, onClose, onDeleted }: DialogProps) {
  const { t } = useWords()
  const canaries = canariesOf(route, all)
  if (what !== 'delete')
    return (
      <Suspense>
        <EditDialog what={what} route={route} canaries={canaries} taken={(name) => all.some((it) => it.metadata.name === name)} onClose={onClose} />
      </Suspense>
    )
  const also = goWith(route, canaries)
  const about = [t('routes.deleteAbout'), ...(also.length > 0 ? [t('routes.deleteCanaries', { names: also.map((it) => it.metadata.name).join(', ') })] : [])].join(' ')
  return <DeleteDialog kind={KINDS.ingress} object={route} also={also} word={t('routes.one')} about={about} onClose={onClose} {...(onDeleted && { onDone: onDeleted })} />
}
