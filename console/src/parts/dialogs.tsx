// Dialogs that every page shares: delete by typing the name, and edit the metadata of an object.
import { useState, type ReactNode } from 'react'
import { Input, Modal } from 'antd'
import { remove } from '../api/objects'
import type { Kind } from '../api/kinds'
import type { Obj } from '../api/types'
import { useWords } from '../words'
import { Code, Field, Trouble } from './basics'
import { say } from './toasts'

/** Runs what a dialog does, and remembers that it runs and why it failed. */
export function useDoing() {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const run = async (what: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true)
    setError(null)
    try {
      await what()
      return true
    } catch (refusal) {
      setError(refusal)
      return false
    } finally {
      setBusy(false)
    }
  }
  return { busy, error, run, clear: () => setError(null) }
}

interface DeleteProps {
  kind: Kind
  object: Obj
  /** Others of its kind that go with it. */
  also?: readonly Obj[]
  /** As a person calls it. */
  word: string
  about?: ReactNode
  command?: string
  title?: string
  action?: string
  /** It cannot be done now; `about` says why. */
  blocked?: boolean
  onClose: () => void
  onDone?: () => void
}

export function DeleteDialog({ kind, object, also = [], word, about, command, title, action, blocked = false, onClose, onDone }: DeleteProps) {
  const { t } = useWords()
  const [typed, setTyped] = useState('')
  const { busy, error, run } = useDoing()
  const { name, namespace } = object.metadata
  const finish = async () => {
    const all = async () => {
      for (const { metadata } of also) await remove(kind, metadata.name, metadata.namespace)
      await remove(kind, name, namespace)
    }
    if (typed !== name || blocked || !(await run(all))) return
    say(t('said.deleted', { what: `${word} ${name}` }))
    onClose()
    onDone?.()
  }
  return (
    <Modal open title={title ?? t('delete.title', { what: word })} okText={action ?? t('do.delete')} okButtonProps={{ danger: true, disabled: typed !== name || blocked, loading: busy }} onOk={() => void finish()} onCancel={onClose} destroyOnHidden>
      <div className="stack">
        {about && <div>{about}</div>}
        <Field id="delete-name" label={t('delete.type', { name })}>
          <Input id="delete-name" autoFocus disabled={blocked} autoComplete="off" value={typed} onChange={(event) => setTyped(event.target.value)} onPressEnter={() => void finish()} />
        </Field>
        <Code>{command ?? `kubectl delete ${kind.kubectl} ${[name, ...also.map((it) => it.metadata.name)].join(' ')}${namespace ? ` -n ${namespace}` : ''}`}</Code>
        {Boolean(error) && <Trouble error={error} />}
      </div>
    </Modal>
  )
}
