// A gateway on a page: how it is, where it is reached, what can be done with it.
import { useState } from 'react'
import { Button, InputNumber } from 'antd'
import { ColumnHeightOutlined, EditOutlined, EyeOutlined, PoweroffOutlined } from '@ant-design/icons'
import { useNavigate } from '@tanstack/react-router'
import type { Serving } from '../../api/console'
import { KINDS } from '../../api/kinds'
import { edit } from '../../api/objects'
import type { Rights } from '../../api/rights'
import { useSession } from '../../api/session'
import type { IngressGateway } from '../../api/types'
import { CREATOR } from '../../forms/names'
import { Card, Copy, Facts, Field, Note, State, When } from '../../parts/basics'
import { DeleteDialog, useDoing } from '../../parts/dialogs'
import { FormDialog } from '../../parts/form-dialog'
import { Actions } from '../../parts/menu'
import { say } from '../../parts/toasts'
import { useWords } from '../../words'
import { Said } from '../../words/said'
import { GatewayDialog } from './dialog'
import { gatewayState, isByNodes, remarks, scopeWord, servingOf, visitUrl } from './state'

type Doing = 'edit' | 'scale' | 'disable' | null

/** The actions on a gateway that was asked for, with their dialogs. */
export function useGatewayActions(gateway: IngressGateway | null, rights: Rights, onGone?: () => void) {
  const { t } = useWords()
  const [doing, setDoing] = useState<Doing>(null)
  const may = gateway !== null && rights.can('patch', KINDS.ingressGateway)
  // That of everybody is there anyway: without a request it is as it is by itself.
  const shared = gateway?.spec.scope === 'Cluster'
  const actions = [
    may && { key: 'edit', text: t('do.edit'), icon: <EditOutlined aria-hidden />, run: () => setDoing('edit') },
    may && { key: 'scale', text: t('gateway.scale'), icon: <ColumnHeightOutlined aria-hidden />, run: () => setDoing('scale') },
    gateway !== null && rights.can('delete', KINDS.ingressGateway) && { key: 'disable', text: t(shared ? 'gateway.reset' : 'gateway.disable'), icon: <PoweroffOutlined aria-hidden />, danger: true, run: () => setDoing('disable') },
  ]
  const close = () => setDoing(null)
  const dialogs = gateway && (
    <>
      {doing === 'edit' && <GatewayDialog namespace={gateway.metadata.namespace ?? ''} gateway={gateway} scope={gateway.spec.scope === 'Cluster' ? 'Cluster' : 'Project'} onClose={close} />}
      {doing === 'scale' && <ScaleDialog gateway={gateway} onClose={close} />}
      {doing === 'disable' && <DeleteDialog kind={KINDS.ingressGateway} object={gateway} word={t('gateway.one')} title={t(shared ? 'gateway.resetTitle' : 'gateway.disableTitle')} action={t(shared ? 'gateway.reset' : 'gateway.disable')} about={t(shared ? 'gateway.resetAbout' : 'gateway.disableAbout')} onClose={close} {...(onGone && { onDone: onGone })} />}
    </>
  )
  return { actions, dialogs, open: setDoing }
}

function ScaleDialog({ gateway, onClose }: { gateway: IngressGateway; onClose: () => void }) {
  const { t } = useWords()
  const { mode } = useSession()
  const [replicas, setReplicas] = useState(gateway.spec.replicas ?? 1)
  const { busy, error, run } = useDoing()
  const save = async () => {
    if (!(await run(() => edit(KINDS.ingressGateway, gateway, { ...gateway, spec: { ...gateway.spec, replicas } })))) return
    say(t('said.saved', { what: t(scopeWord(gateway.spec.scope)) }))
    onClose()
  }
  return (
    <FormDialog title={t('gateway.scale')} command={`kubectl patch igw ${gateway.metadata.name} -n ${gateway.metadata.namespace} --type merge -p '{"spec":{"replicas":${replicas}}}'`} does={t('do.save')} busy={busy} error={error} onDo={() => void save()} onClose={onClose}>
      {mode === 'up' && <Note tone="info"><p>{t('gateway.scaleUp')}</p></Note>}
      <Field id="replicas" label={t('gateway.replicas')} help={t('gateway.scaleHelp')}>
        <InputNumber id="replicas" min={0} max={1000} precision={0} value={replicas} onChange={(value) => setReplicas(value ?? 1)} />
      </Field>
    </FormDialog>
  )
}

export function GatewayCard({ gateway, rights, base }: { gateway: IngressGateway; rights: Rights; base: string }) {
  const { t } = useWords()
  const navigate = useNavigate()
  const { actions, dialogs } = useGatewayActions(gateway, rights)
  const { tone, word, message } = gatewayState(gateway)
  const path = `${base}/${gateway.metadata.namespace}/${gateway.metadata.name}`
  const look = () => void navigate({ to: path })
  return (
    <Card
      title={
        <span className="row">
          {t(scopeWord(gateway.spec.scope))} <State tone={tone}>{t(word)}</State>
        </span>
      }
      extra={
        <span className="row">
          <Button icon={<EyeOutlined aria-hidden />} onClick={look}>
            {t('do.view')}
          </Button>
          <Actions of={actions} label={gateway.metadata.name} text={t('do.manage')} />
        </span>
      }
    >
      <div className="stack">
        {message && <Note tone={tone === 'bad' ? 'bad' : 'warn'}><p><Said of={message} /></p></Note>}
        <Remarks gateway={gateway} />
        <GatewayFacts serving={servingOf(gateway)} gateway={gateway} />
      </div>
      {dialogs}
    </Card>
  )
}

export function Remarks({ gateway }: { gateway: IngressGateway }) {
  const { maybe } = useWords()
  return remarks(gateway).map(({ type, message }) => (
    <Note key={type} tone="warn">
      <b>{maybe(`remark.${type}`, type)}</b>
      <p><Said of={message} /></p>
    </Note>
  ))
}

export function GatewayFacts({ serving, gateway }: { serving: Serving; gateway?: IngressGateway }) {
  const { t } = useWords()
  const port = (name: string) => serving.ports.find((it) => it.name === name)?.reachedAt
  const annotations = Object.entries(gateway?.spec.access?.annotations ?? {})
  const replicas = gateway?.status?.replicas !== undefined && `${gateway.status.readyReplicas ?? 0} / ${gateway.status.replicas}`
  return (
    <Facts
      of={[
        [t('gateway.access'), <span className="chip jade">{serving.type}</span>],
        [t('gateway.address'), serving.addresses.length > 0 ? <Addresses serving={serving} /> : isByNodes(serving) && t('gateway.byNodes')],
        gateway?.spec.access?.provider ? [t('gateway.provider'), gateway.spec.access.provider] : undefined,
        [t('gateway.ports'), serving.ports.length > 0 && `HTTP ${port('http') ?? '—'} · HTTPS ${port('https') ?? '—'}`],
        gateway && [t('gateway.replicas'), replicas],
        [t('gateway.tracing'), t(serving.tracing ? 'state.on' : 'state.off')],
        gateway && [t('gateway.routes'), String(gateway.status?.attachedRoutes ?? 0)],
        gateway && [t('meta.creator'), gateway.metadata.annotations?.[CREATOR]],
        gateway && [t('meta.created'), <When at={gateway.metadata.creationTimestamp} />],
        annotations.length > 0 && [t('meta.annotations'), annotations.map(([key, value]) => <code key={key} className="line">{`${key}: ${value}`}</code>), 'whole'],
      ]}
    />
  )
}

function Addresses({ serving }: { serving: Serving }) {
  return (
    <>
      {serving.addresses.map((address) => (
        <span key={address} className="row" style={{ flexWrap: 'nowrap', gap: 2 }}>
          <a className="mono" href={visitUrl(serving, 'http', address)} target="_blank" rel="noreferrer">
            {address}
          </a>
          <Copy text={address} />
        </span>
      ))}
    </>
  )
}

