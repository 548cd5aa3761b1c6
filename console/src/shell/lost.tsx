import { Link } from '@tanstack/react-router'
import { Nothing } from '../parts/basics'
import { useWords } from '../words'

export function Lost() {
  const { t } = useWords()
  return (
    <Nothing whole title={t('lost.title')} action={<Link to="/">{t('lost.home')}</Link>}>
      {t('lost.about')}
    </Nothing>
  )
}

export function Broken({ error }: { error: unknown }) {
  const { t } = useWords()
  return (
    <Nothing whole title={t('broken.title')} action={<a href={location.pathname}>{t('do.retry')}</a>}>
      {error instanceof Error ? error.message : String(error)}
    </Nothing>
  )
}
