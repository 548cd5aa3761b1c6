// Making a workspace or a project, and what people call it.
import { useState } from 'react'
import { Input } from 'antd'
import { ApiError, ask } from '../../api/client'
import { KINDS, objectPath } from '../../api/kinds'
import { client } from '../../api/live'
import { create, edit, remove } from '../../api/objects'
import { useSession } from '../../api/session'
import type { Project, Workspace } from '../../api/types'
import { isName, readNaming, writeNaming } from '../../forms/names'
import { Field } from '../../parts/basics'
import { quoted } from '../../parts/command'
import { useDoing } from '../../parts/dialogs'
import { FormDialog } from '../../parts/form-dialog'
import { say } from '../../parts/toasts'
import { useWords } from '../../words'

export const workspaceNamespace = (workspace: string) => `workspace-${workspace}`

interface Props {
  of: 'workspace' | 'project'
  /** Whose project it is to be. */
  workspace?: string
  /** The one to edit. */
  object?: Workspace | Project
  onClose: () => void
}

const PATIENCE = 60

export function PlaceDialog({ of, workspace = '', object, onClose }: Props) {
  const { t } = useWords()
  const { user } = useSession()
  const [read] = useState(object)
  const [form, setForm] = useState(() => ({ name: object?.metadata.name ?? '', ...(object ? readNaming(object) : { alias: '', description: '' }) }))
  const [tried, setTried] = useState(false)
  const { busy, error, run } = useDoing()
  const kind = of === 'workspace' ? KINDS.workspace : KINDS.project
  const wrong = isName(form.name) ? undefined : t('wrong.name')
  const make = async () => {
    const metadata = { name: form.name, ...(of === 'project' && { namespace: workspaceNamespace(workspace) }) }
    const made = writeNaming({ apiVersion: '', kind: '', metadata, spec: { admins: [user] } }, form)
    await create<Workspace | Project>(kind, { metadata: JSON.parse(JSON.stringify(made.metadata)) as typeof made.metadata, spec: made.spec })
    await untilReady(objectPath(kind, form.name, metadata.namespace)).catch(async (refusal: unknown) => {
      // It will never be: it does not stay behind.
      await remove(kind, form.name, metadata.namespace).catch(() => undefined)
      throw refusal
    })
  }
  const save = async () => {
    setTried(true)
    if (wrong || !(await run(() => (read ? edit(kind, read, writeNaming(read, form)) : make())))) return
    for (const queryKey of [['mine'], ['workspace', form.name]]) void client.invalidateQueries({ queryKey })
    say(t(read ? 'said.saved' : 'said.made', { what: form.alias || form.name }))
    onClose()
  }
  const words = `${form.alias ? ` --alias ${quoted(form.alias)}` : ''}${form.description ? ` --description ${quoted(form.description)}` : ''}`
  const command = read ? `kubectl edit ${kind.kubectl} ${form.name}${of === 'project' ? ` -n ${workspaceNamespace(workspace)}` : ''}` : `paifang ${of} create ${form.name || 'NAME'}${of === 'project' ? ` --workspace ${workspace}` : ''}${words}`
  const title = read ? (of === 'workspace' ? 'workspaces.edit' : 'projects.edit') : of === 'workspace' ? 'workspaces.create' : 'projects.create'
  return (
    <FormDialog title={t(title)} command={command} does={t(read ? 'do.save' : 'do.create')} busy={busy} error={error} onDo={() => void save()} onClose={onClose}>
      <Field id="place-name" label={t('table.name')} help={t(read ? 'form.nameFixed' : 'form.nameHelp')} wrong={tried ? wrong : undefined}>
        <Input id="place-name" autoFocus={!read} disabled={read !== undefined} value={form.name} onChange={(event) => setForm({ ...form, name: event.target.value.trim() })} />
      </Field>
      <Field id="place-alias" label={t('form.alias')} help={t('form.aliasHelp')}>
        <Input id="place-alias" maxLength={63} value={form.alias} onChange={(event) => setForm({ ...form, alias: event.target.value })} />
      </Field>
      <Field id="place-description" label={t('form.description')}>
        <Input.TextArea id="place-description" maxLength={256} rows={2} value={form.description} onChange={(event) => setForm({ ...form, description: event.target.value })} />
      </Field>
    </FormDialog>
  )
}

/** Until its roles are there; who made it and is no admin of it may not look, and is not kept waiting. */
async function untilReady(path: string) {
  for (let tries = 0; tries < PATIENCE * 4; tries += 1) {
    const object = await ask<Workspace>(path).catch(() => null)
    const ready = object?.status?.conditions?.find((it) => it.type === 'Ready')
    if (!object || ready?.status === 'True') return
    if (ready?.status === 'False' && !['Pending', 'Deleting'].includes(ready.reason ?? '')) throw new ApiError(409, ready.reason === 'NameTaken' ? 'AlreadyExists' : (ready.reason ?? ''), ready.message ?? '')
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}
