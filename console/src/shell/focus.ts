// Dialogs leave the page when they are closed: whoever uses a keyboard goes on where they opened one.
import { useEffect } from 'react'

const PASSING = '[role=dialog], [role=menu], .ant-dropdown, .ant-select-dropdown, .ant-popover'

export function useFocusReturn() {
  useEffect(() => {
    let last: HTMLElement | null = null
    const remember = ({ target }: FocusEvent) => {
      if (target instanceof HTMLElement && !target.closest(PASSING)) last = target
    }
    const goBack = () => {
      if (document.activeElement === document.body && last?.isConnected) last.focus()
    }
    // What lies over the page hangs below the body.
    const observer = new MutationObserver((changes) => changes.some((it) => it.removedNodes.length > 0) && goBack())
    document.addEventListener('focusin', remember)
    observer.observe(document.body, { childList: true })
    return () => {
      document.removeEventListener('focusin', remember)
      observer.disconnect()
    }
  }, [])
}
