// Making a workspace or a project.
import { useState } from 'react'
import { Input, Modal } from 'antd'
import { ask } from '../../api/client'
import { KINDS, objectPath } from '../../api/kinds'
import { client } from '../../api/live'
import { create } from '../../api/objects'
import { useSession } from '../../api/session'
import type { Project, Workspace } from '../../api/types'
import { isName, writeNaming } from '../../forms/names'
import { Field, Trouble } from '../../parts/basics'
import { Command, quoted } from '../../parts/command'
import { useDoing } from '../../parts/dialogs'
import { say } from '../../parts/toasts'
import { useWords } from '../../words'

export const workspaceNamespace = (workspace: string) => `workspace-${workspace}`

interface Props {
  of: 'workspace' | 'project'
  /** Whose project it is to be. */
  workspace?: string
  onClose: () => void
}

const PATIENCE = 60

export function PlaceDialog({ of, workspace = '', onClose }: Props) {
  const { t } = useWords()
  const { user } = useSession()
  const [form, setForm] = useState({ name: '', alias: '', description: '' })
  const [tried, setTried] = useState(false)
  const { busy, error, run } = useDoing()
  const wrong = isName(form.name) ? undefined : t('wrong.name')
  const make = async () => {
    const kind = of === 'workspace' ? KINDS.workspace : KINDS.project
    const metadata = { name: form.name, ...(of === 'project' && { namespace: workspaceNamespace(workspace) }) }
    const made = writeNaming({ apiVersion: '', kind: '', metadata, spec: { admins: [user] } }, form)
    await create<Workspace | Project>(kind, { metadata: JSON.parse(JSON.stringify(made.metadata)) as typeof made.metadata, spec: made.spec })
    await untilReady(objectPath(kind, form.name, metadata.namespace))
  }
  const save = async () => {
    setTried(true)
    if (wrong || !(await run(make))) return
    void client.invalidateQueries({ queryKey: ['mine'] })
    say(t('said.made', { what: form.name }))
    onClose()
  }
  const words = `${form.alias ? ` --alias ${quoted(form.alias)}` : ''}${form.description ? ` --description ${quoted(form.description)}` : ''}`
  return (
    <Modal open title={t(of === 'workspace' ? 'workspaces.create' : 'projects.create')} okText={t('do.create')} okButtonProps={{ loading: busy }} onOk={() => void save()} onCancel={onClose} footer={(buttons) => <div className="row" style={{ justifyContent: 'space-between' }}><Command text={`paifang ${of} create ${form.name || 'NAME'}${of === 'project' ? ` --workspace ${workspace}` : ''}${words}`} /><span className="row">{buttons}</span></div>}>
      <div className="stack">
        <Field id="place-name" label={t('table.name')} help={t('form.nameHelp')} wrong={tried ? wrong : undefined}>
          <Input id="place-name" autoFocus value={form.name} onChange={(event) => setForm({ ...form, name: event.target.value.trim() })} />
        </Field>
        <Field id="place-alias" label={t('form.alias')} help={t('form.aliasHelp')}>
          <Input id="place-alias" maxLength={63} value={form.alias} onChange={(event) => setForm({ ...form, alias: event.target.value })} />
        </Field>
        <Field id="place-description" label={t('form.description')}>
          <Input.TextArea id="place-description" maxLength={256} rows={2} value={form.description} onChange={(event) => setForm({ ...form, description: event.target.value })} />
        </Field>
        {Boolean(error) && <Trouble error={error} />}
      </div>
    </Modal>
  )
}

/** Until its roles are there; who made it and is no admin of it may not look, and is not kept waiting. */
async function untilReady(path: string) {
  for (let tries = 0; tries < PATIENCE * 4; tries += 1) {
    const object = await ask<Workspace>(path).catch(() => null)
    const ready = object?.status?.conditions?.find((it) => it.type === 'Ready')
    if (!object || ready?.status === 'True') return
    if (ready?.status === 'False' && !['Pending', 'Deleting'].includes(ready.reason ?? '')) throw new Error(`${ready.reason}: ${ready.message}`)
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}
