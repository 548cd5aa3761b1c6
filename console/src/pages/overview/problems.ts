// What is wrong, of all that a project or the platform has: routes, gateways, certificates, and what other APIs say.
import { useMemo } from 'react'
import type { Serving } from '../../api/console'
import type { EndpointSlice, Ingress, IngressGateway, Loose, Service } from '../../api/types'
import type { Event } from '../../api/types'
import { conditionTone } from '../../parts/tones'
import type { Tone } from '../../parts/basics'
import { useWords } from '../../words'
import { useTell } from '../../words/messages'
import { refusedPorts } from '../gateways/ports'
import { isByNodes, scopeWord } from '../gateways/state'
import { conditionsOf, listenersOf, OTHERS } from '../others/kinds'
import { gatewayOf } from '../routes/address'
import { countEndpoints } from '../routes/flow'
import { tell, troubles, warningsByObject, type Beside, type Telling } from '../routes/problems'
import { isUrgent, type Ending } from './certificates'

export interface Problem {
  kind: string
  tone: Tone
  where: string
  to: string
  text: string
  /** In the API's own words, where it is said in others. */
  english?: string | undefined
}

export interface Everything {
  routes: readonly Ingress[]
  /** `null` where they may not be seen, or are not here yet. */
  services: readonly Service[] | null
  slices: readonly EndpointSlice[] | null
  events: readonly Event[]
  gateways: readonly IngressGateway[]
  others: Readonly<Record<string, readonly Loose[]>>
  /** What the API says now of routes whose warnings may be over. */
  judged: ReadonlyMap<string, string[]>
}

const grouped = <T extends { metadata: { namespace?: string } }>(all: readonly T[]): Map<string, T[]> => {
  const by = new Map<string, T[]>()
  for (const one of all) {
    const namespace = one.metadata.namespace ?? ''
    const before = by.get(namespace)
    if (before) before.push(one)
    else by.set(namespace, [one])
  }
  return by
}

function ofRoutes(of: Everything, serving: Serving[], project: string, words: Telling): Problem[] {
  const { t } = words
  const warnings = warningsByObject(of.events)
  const [services, slices, routes] = [of.services && grouped(of.services), of.slices && grouped(of.slices), grouped(of.routes)]
  return [...routes].flatMap(([namespace, all]) => {
    const beside: Beside = {
      services: services ? new Map((services.get(namespace) ?? []).map((it) => [it.metadata.name, it])) : undefined,
      endpoints: slices ? countEndpoints(slices.get(namespace) ?? []) : undefined,
      routes: all,
      warnings,
      judged: of.judged,
    }
    return all.flatMap((it) => {
      const { name } = it.metadata
      // When certificates end, they say themselves.
      const found = troubles(it, beside, gatewayOf(it, serving) !== undefined).filter(({ code }) => code !== 'CertificateExpires')
      return found.map((one): Problem => ({ kind: t('routes.one'), tone: one.reason === 'warned' ? 'warn' : 'bad', where: project ? name : `${namespace}/${name}`, to: `/projects/${namespace}/routes/${name}`, text: tell(one, words), english: one.reason === 'warned' ? one.text : undefined }))
    })
  })
}

const ofGateways = (gateways: readonly IngressGateway[], project: string, { t, said }: Telling): Problem[] =>
  gateways.flatMap((gateway) => {
    const { name, namespace = '' } = gateway.metadata
    const bad = (gateway.status?.conditions ?? []).filter((one) => conditionTone(one) === 'warn')
    return [...bad, refusedPorts(gateway) ?? []].flat().map((one): Problem => ({ kind: t('gateway.one'), tone: /Ignored$|Refused$/.test(one.type) ? 'warn' : 'bad', where: project ? name : `${namespace}/${name}`, to: project ? `/projects/${namespace}/gateways/${namespace}/${name}` : `/cluster/gateways/${namespace}/${name}`, text: said(one.message ?? one.type), english: one.message }))
  })

/** Gateways that no object here tells of: those of everybody and of workspaces. */
export const ofServing = (serving: Serving[], gateways: readonly IngressGateway[], project: string, { t }: Pick<Telling, 't'>): Problem[] => {
  const known = new Set(gateways.map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`))
  // What serves a project's routes is the nearest.
  const asked = project ? serving.slice(0, 1) : serving
  const waiting = asked.filter((it) => it.type === 'LoadBalancer' && it.addresses.length === 0 && !known.has(`${it.namespace}/${it.name}`))
  return waiting.map((it): Problem => ({ kind: t('gateway.one'), tone: 'warn', where: t(scopeWord(it.scope)), to: project ? `/projects/${project}/gateways` : `/cluster/gateways/${it.namespace}/${it.name}`, text: t(isByNodes(it) ? 'gateway.byNodes' : 'gateway.nowhere') }))
}

const ofOthers = (others: Everything['others'], project: string, { said }: Telling): Problem[] =>
  OTHERS.flatMap(({ slug, title }) =>
    (others[slug] ?? []).flatMap((it) => {
      const { name, namespace = '' } = it.metadata
      const bad = [...conditionsOf(it).filter((one) => conditionTone(one) === 'warn'), ...listenersOf(it).flatMap((one) => one.bad ?? [])]
      return bad.map((one): Problem => ({ kind: title, tone: 'warn', where: project ? name : `${namespace}/${name}`, to: `/projects/${namespace}/others/${slug}/${name}`, text: said(one.message ?? one.reason ?? one.type), english: one.message }))
    }))

const ofCertificates = (endings: Ending[], project: string, { t, said }: Telling): Problem[] =>
  endings.filter(isUrgent).map(({ namespace, name, days, problem }): Problem => {
    const text = problem ? said(problem) : (days !== null && days < 0 ? t('cert.expired') : t('overview.ends', { days: days ?? 0 }))
    return { kind: t('overview.certificate'), tone: problem || (days ?? 0) < 0 ? 'bad' : 'warn', where: project ? name : `${namespace}/${name}`, to: `/projects/${namespace}/secrets`, text, english: problem }
  })

/** The worst first. */
export function useProblems(of: Everything, endings: Ending[], serving: Serving[], project: string): Problem[] {
  const words = useWords()
  const said = useTell()
  const { routes, services, slices, events, gateways, others, judged } = of
  return useMemo(() => {
    const everything = { routes, services, slices, events, gateways, others, judged }
    const telling = { ...words, said }
    const all = [...ofGateways(gateways, project, telling), ...ofServing(serving, gateways, project, telling), ...ofCertificates(endings, project, telling), ...ofRoutes(everything, serving, project, telling), ...ofOthers(others, project, telling)]
    const once = new Map(all.map((it) => [`${it.to} ${it.text}`, it]))
    return [...once.values()].sort((a, b) => Number(a.tone !== 'bad') - Number(b.tone !== 'bad'))
  }, [routes, services, slices, events, gateways, others, judged, endings, serving, project, words.language, said])
}
