// Project settings → Members.
import { Page } from '../../parts/basics'
import { useParam } from '../../shell/params'
import { useWords } from '../../words'
import { Members } from './shared'

export function ProjectMembers() {
  const { t } = useWords()
  const project = useParam('project')
  return (
    <Page title={t('members.title')} about={t('members.about')} crumbs={[{ text: project, to: `/projects/${project}` }, { text: t('nav.settings') }]}>
      <Members key={project} place={{ of: 'project', name: project, namespace: project }} />
    </Page>
  )
}
