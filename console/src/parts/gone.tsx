// In the place of an object's page: it is not there, or may not be seen.
import { Nothing, Page, Trouble, type Crumb } from './basics'
import { useWords } from '../words'

export function Gone({ name, crumbs, error }: { name: string; crumbs: Crumb[]; error?: unknown }) {
  const { t } = useWords()
  return (
    <Page title={name} crumbs={crumbs}>
      {error ? (
        <Trouble error={error} />
      ) : (
        <div className="card">
          <Nothing title={t('routes.gone', { name })}>{t('routes.goneAbout')}</Nothing>
        </div>
      )}
    </Page>
  )
}
