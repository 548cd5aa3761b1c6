// Project settings → Members.
import { Page } from '../../parts/basics'
import { useParam } from '../../shell/params'
import { useWords } from '../../words'
import { useMembers } from './shared'

export function ProjectMembers() {
  const project = useParam('project')
  return <MembersPage key={project} project={project} />
}

function MembersPage({ project }: { project: string }) {
  const { t } = useWords()
  const { actions, list } = useMembers({ of: 'project', name: project, namespace: project })
  return (
    <Page title={t('members.title')} about={t('members.about')} crumbs={[{ text: project, to: `/projects/${project}` }, { text: t('nav.settings') }]} actions={actions}>
      {list}
    </Page>
  )
}
