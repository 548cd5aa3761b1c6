// The paths of a rule: each with its Service, and a second one where requests are split.
import { AutoComplete, Button, Input, InputNumber, Select } from 'antd'
import { BranchesOutlined, DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import type { Service } from '../../api/types'
import { emptySecond, type SecondForm } from '../../forms/canary'
import { emptyPath, PATH_TYPES, type PathForm, type RuleForm } from '../../forms/route'
import { useWords } from '../../words'
import { Said } from '../../words/said'

interface PathsProps {
  id: string
  rule: RuleForm
  services: readonly Service[]
  onChange: (paths: PathForm[]) => void
  wrong: (field: string) => string | undefined
}

export function Paths({ id, rule, services, onChange, wrong }: PathsProps) {
  const { t } = useWords()
  const change = (index: number, next: Partial<PathForm>) => onChange(rule.paths.map((path, i) => (i === index ? { ...path, ...next } : path)))
  return (
    <div className="stack tight" role="group" aria-label={t('rules.paths')}>
      <div className="path-row path-head" aria-hidden>
        <span>{t('rules.pathType')}</span>
        <span>{t('rules.path')}</span>
        <span>{t('rules.service')}</span>
        <span>{t('rules.port')}</span>
        <span />
      </div>
      {rule.paths.map((path, index) => (
        <PathRow key={index} n={index + 1} path={path} mayTakeSecond={rule.mode === 'domain'} services={services} onChange={(next) => change(index, next)} onRemove={rule.paths.length > 1 ? () => onChange(rule.paths.filter((_, i) => i !== index)) : undefined} wrong={(field) => wrong(`paths.${index}.${field}`)} />
      ))}
      {wrong('paths') && <span className="wrong" id={`${id}-paths-wrong`}>{wrong('paths')}</span>}
      <div>
        <Button type="link" icon={<PlusOutlined />} style={{ paddingInline: 0 }} onClick={() => onChange([...rule.paths, { ...emptyPath(), path: '' }])}>
          {t('rules.addPath')}
        </Button>
      </div>
    </div>
  )
}

interface PathProps {
  n: number
  path: PathForm
  mayTakeSecond: boolean
  services: readonly Service[]
  onChange: (next: Partial<PathForm>) => void
  onRemove: (() => void) | undefined
  wrong: (field: string) => string | undefined
}

function PathRow({ n, path, mayTakeSecond, services, onChange, onRemove, wrong }: PathProps) {
  const { t } = useWords()
  const { second } = path
  return (
    <div className="stack tight path">
      <div className="path-row">
        <Select aria-label={`${t('rules.pathType')} ${n}`} value={path.pathType} options={PATH_TYPES.map((value) => ({ value, label: t(`pathType.${value}`) }))} onChange={(pathType) => onChange({ pathType })} />
        <Cell wrong={wrong('path')}>
          <Input aria-label={`${t('rules.path')} ${n}`} placeholder="/" value={path.path} onChange={(event) => onChange({ path: event.target.value })} {...bad(wrong('path'))} />
        </Cell>
        <Target label={String(n)} service={path.service} port={path.port} services={services} onChange={onChange} wrong={wrong} />
        <span>{onRemove && <Button type="text" icon={<DeleteOutlined />} aria-label={t('rules.removePath', { n })} onClick={onRemove} />}</span>
      </div>
      {second && <SecondRow n={n} of={path.service} second={second} services={services} onChange={(next) => onChange({ second: next })} wrong={(field) => wrong(`second.${field}`)} />}
      {!second && mayTakeSecond && (
        <div>
          <Button type="link" size="small" icon={<BranchesOutlined />} style={{ paddingInline: 0 }} aria-label={t('rules.splitPath', { n })} onClick={() => onChange({ second: emptySecond() })}>
            {t('rules.split')}
          </Button>
        </div>
      )}
    </div>
  )
}

interface SecondProps {
  n: number
  of: string
  second: SecondForm
  services: readonly Service[]
  onChange: (next: SecondForm | undefined) => void
  wrong: (field: string) => string | undefined
}

function SecondRow({ n, of, second, services, onChange, wrong }: SecondProps) {
  const { t } = useWords()
  return (
    <>
      <div className="path-row">
        <Cell wrong={wrong('share')}>
          <InputNumber<number> aria-label={t('rules.shareOf', { n })} min={0} max={100} precision={second.share !== null && Number.isInteger(second.share) ? 0 : 2} value={second.share} prefix={<BranchesOutlined aria-hidden />} suffix="%" style={{ width: '100%' }} onChange={(share) => onChange({ ...second, share })} {...bad(wrong('share'))} />
        </Cell>
        <span className="soft split-rest">{t('rules.rest', { rest: 100 - (second.share ?? 0), service: of || '…' })}</span>
        <Target label={t('rules.secondOf', { n })} service={second.service} port={second.port} services={services} onChange={(next) => onChange({ ...second, ...next })} wrong={wrong} />
        <span>
          <Button type="text" icon={<DeleteOutlined />} aria-label={t('rules.removeSecond', { n })} onClick={() => onChange(undefined)} />
        </span>
      </div>
      <p className="faint">
        {second.also.length > 0 && t('rules.splitAlso', { keys: second.also.join(', ') })} {t('rules.splitMore')}
      </p>
    </>
  )
}

interface TargetProps {
  label: string
  service: string
  port: string
  services: readonly Service[]
  onChange: (next: { service?: string; port?: string }) => void
  wrong: (field: string) => string | undefined
}

/** A Service and its port, by name or number, from what there is. */
function Target({ label, service, port, services, onChange, wrong }: TargetProps) {
  const { t } = useWords()
  const ports = services.find((it) => it.metadata.name === service)?.spec.ports ?? []
  const choose = (name: string) => {
    const first = services.find((it) => it.metadata.name === name)?.spec.ports?.[0]
    onChange({ service: name, ...(first && { port: first.name ?? String(first.port) }) })
  }
  const options = ports.flatMap((it) => [...(it.name ? [{ value: it.name, label: `${it.name} (${it.port})` }] : []), { value: String(it.port), label: String(it.port) }])
  return (
    <>
      <Cell wrong={wrong('service')}>
        <Select aria-label={`${t('rules.service')} ${label}`} showSearch placeholder={t('rules.serviceChoose')} value={service || null} options={services.map((it) => ({ value: it.metadata.name, label: it.metadata.name }))} onChange={choose} notFoundContent={t('rules.noServices')} {...bad(wrong('service'))} />
      </Cell>
      <Cell wrong={wrong('port')}>
        <AutoComplete aria-label={`${t('rules.port')} ${label}`} placeholder="80" value={port} options={options} onChange={(next: string) => onChange({ port: next.trim() })} {...bad(wrong('port'))} />
      </Cell>
    </>
  )
}

const bad = (wrong: string | undefined) => (wrong ? { status: 'error' as const } : {})

const Cell = ({ wrong, children }: { wrong: string | undefined; children: React.ReactNode }) => (
  <div className="field">
    {children}
    {wrong && (
      <span className="wrong" role="alert">
        <Said of={wrong} />
      </span>
    )}
  </div>
)
