// The dialog that every form stands in: what it does, its command, and why the API refused.
import type { ReactNode } from 'react'
import { Modal } from 'antd'
import { Trouble } from './basics'
import { Command } from './command'

interface Props {
  title: string
  /** The same by kubectl or the command line. */
  command: string | string[]
  /** What the button says. */
  does: string
  busy: boolean
  error: unknown
  width?: number
  danger?: boolean
  /** It cannot be done now. */
  blocked?: boolean
  /** It is done, and only to be read: nothing but the button closes it. */
  done?: boolean
  onDo: () => void
  onClose: () => void
  children: ReactNode
}

export const FormDialog = ({ title, command, does, busy, error, width, danger = false, blocked = false, done = false, onDo, onClose, children }: Props) => (
  <Modal
    open
    title={title}
    okText={does}
    okButtonProps={{ danger, disabled: blocked, loading: busy }}
    cancelButtonProps={done ? { style: { display: 'none' } } : {}}
    mask={{ closable: !done }}
    onOk={onDo}
    onCancel={onClose}
    {...(width && { width })}
    footer={(buttons) => (
      <div className="row between">
        <Command text={command} />
        <span className="row">{buttons}</span>
      </div>
    )}
  >
    <div className="stack">
      {children}
      {Boolean(error) && <Trouble error={error} />}
    </div>
  </Modal>
)
