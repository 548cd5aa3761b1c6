// A row's or page's further actions.
import { Button, Dropdown } from 'antd'
import { DownOutlined, MoreOutlined } from '@ant-design/icons'
import type { ReactNode } from 'react'
import { useWords } from '../words'

export interface Action {
  key: string
  text: string
  icon?: ReactNode
  danger?: boolean
  run: () => void
}

/** Nothing, where nothing may be done. */
export function Actions({ of, label, text }: { of: (Action | false | undefined)[]; label: string; text?: string }) {
  const { t } = useWords()
  const items = of.filter((it) => it !== undefined && it !== false)
  if (items.length === 0) return null
  const menu = { items: items.map(({ key, text, icon, danger, run }) => ({ key, label: text, icon, danger: danger ?? false, onClick: ({ domEvent }: { domEvent: { stopPropagation: () => void } }) => (domEvent.stopPropagation(), run()) })) }
  return (
    <Dropdown menu={menu} trigger={['click']} placement="bottomRight">
      {text ? (
        <Button>
          {text} <DownOutlined aria-hidden />
        </Button>
      ) : (
        <Button type="text" icon={<MoreOutlined aria-hidden />} aria-label={`${t('do.more')}: ${label}`} />
      )}
    </Dropdown>
  )
}
