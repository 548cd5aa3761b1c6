// What is wrong in a form is said at its field, in words, and nothing is sent.
import { rmSync } from 'node:fs'
import { expect, test, type Locator, type Page } from '@playwright/test'
import { certificateFor } from './certificates'
import { addRow } from './clicks'
import { apply, attempt, project } from './kubectl'
import { enter, isAccessible, says, speak, type Person } from './people'
import { LANGUAGES, type Language } from './words'

type Say = ReturnType<typeof says>

interface Look {
  page: Page
  t: Say
  of: string
  /** What is said at the field of this id. */
  at: (id: string) => Locator
  /** Presses the dialog's own button. */
  press: (text: string) => Promise<void>
}

interface Form {
  name: string
  who: Person
  path: (of: string) => string
  tries: (look: Look) => Promise<void>
}

const inProject = (where: string) => (of: string) => `/projects/${of}/${where}`
const pems = () => {
  const [one, other] = [certificateFor('one.example'), certificateFor('other.example')]
  for (const { folder } of [one, other]) rmSync(folder, { recursive: true })
  return { one, other }
}

const FORMS: Form[] = [
  {
    name: 'Enable gateway',
    who: 'project-admin',
    path: inProject('gateways'),
    tries: async ({ page, t, at }) => {
      await page.getByRole('button', { name: t('gateway.enable') }).click()
      const enable = page.getByRole('dialog').getByRole('button', { name: t('gateway.enableDo'), exact: true })
      await page.fill('#httpPort', '70000')
      await expect(at('httpPort')).toHaveText(t('gateway.wrong.port'))
      await expect(enable).toBeDisabled()
      // The range is the cluster's: what it says of such a Service stands at the field.
      await page.fill('#httpPort', '40000')
      await expect(at('httpPort')).toHaveText(t('gateway.wrong.range', { from: 30000, to: 32767 }))
      await expect(enable).toBeDisabled()
      await page.fill('#httpPort', '30999')
      await expect(at('httpPort')).toHaveCount(0)
      await page.fill('#httpsPort', '30999')
      await expect(at('httpsPort')).toHaveText(t('gateway.wrong.samePort'))
      await page.getByRole('radio', { name: /LoadBalancer/ }).check()
      await page.fill('#loadBalancerIP', 'ten')
      await expect(at('loadBalancerIP')).toHaveText(t('gateway.wrong.address'))
      await page.getByRole('switch', { name: t('gateway.tracing') }).click()
      await page.fill('#endpoint', 'collector')
      await expect(at('endpoint')).toHaveText(t('gateway.wrong.url'))
      const annotations = page.getByRole('dialog').getByRole('group', { name: t('meta.annotations') })
      await addRow(t, annotations, t('do.addAnnotation'), 'not a key', 'x')
      await expect(annotations.getByRole('alert')).toHaveText(t('entries.problem.badKey'))
      await expect(enable).toBeDisabled()
    },
  },
  {
    name: 'Add certificate',
    who: 'project-regular',
    path: inProject('secrets'),
    tries: async ({ page, t, at, press }) => {
      const { one, other } = pems()
      await page.getByRole('button', { name: t('secrets.add') }).first().click()
      await page.fill('#secret-name', 'Not a name')
      await press(t('do.create'))
      for (const [id, word] of [['name', 'wrong.name'], ['certificate', 'wrong.noCertificate'], ['key', 'wrong.noKey']] as const) await expect(at(`secret-${id}`)).toHaveText(t(word))
      await page.fill('#secret-certificate', one.key)
      await expect(at('secret-certificate')).toHaveText(t('wrong.keyInCertificate'))
      await page.fill('#secret-certificate', one.certificate)
      await page.fill('#secret-key', other.key)
      await expect(at('secret-key')).toHaveText(t('wrong.keyOfAnother'))
      await page.fill('#secret-key', one.key.replaceAll('PRIVATE KEY', 'ENCRYPTED PRIVATE KEY'))
      await expect(at('secret-key')).toHaveText(t('wrong.lockedKey'))
    },
  },
  {
    name: 'Create route',
    who: 'project-regular',
    path: inProject('routes/new'),
    tries: async ({ page, t, of, at }) => {
      const on = () => page.getByRole('button', { name: t('wizard.next') }).click()
      for (const [text, word] of [['', 'wrong.required'], ['Not_a_name', 'wrong.name'], ['taken', 'wrong.taken']] as const) {
        await page.fill('#name', text)
        await on()
        await expect(at('name')).toHaveText(t(word))
      }
      await page.fill('#name', 'free')
      await on()
      await on()
      const path = page.locator('.path').first()
      await expect(path.getByRole('alert')).toHaveText([t('wrong.required'), t('wrong.required')])
      await page.getByRole('textbox', { name: `${t('rules.path')} 1` }).fill('no slash')
      await expect(path.getByRole('alert').first()).toHaveText(t('wrong.path'))
      expect((await attempt('project-regular', ['get', 'ingress', 'free', '-n', of])).err).toContain('NotFound')
    },
  },
  {
    name: 'Edit annotations',
    who: 'project-regular',
    path: inProject('routes/taken'),
    tries: async ({ page, t, press }) => {
      await page.getByRole('button', { name: t('do.manage') }).click()
      await page.getByRole('menuitem', { name: t('routes.editAnnotations') }).click()
      const labels = page.getByRole('dialog').getByRole('group', { name: t('meta.labels') })
      await addRow(t, labels, t('do.addLabel'), 'app', 'not a label')
      await expect(labels.getByRole('alert')).toHaveText(t('entries.problem.badLabel'))
      const annotations = page.getByRole('dialog').getByRole('group', { name: t('meta.annotations') })
      await addRow(t, annotations, t('do.addAnnotation'), '', 'a value')
      await expect(annotations.getByRole('alert')).toHaveText(t('entries.problem.emptyKey'))
      for (const _ of [1, 2]) await addRow(t, annotations, t('do.addAnnotation'), 'example.com/twice', 'x')
      await expect(annotations.getByRole('alert').last()).toHaveText(t('entries.problem.twice'))
      await press(t('do.save'))
      await expect(page.getByRole('dialog')).toBeVisible()
    },
  },
  {
    name: 'Edit external access',
    who: 'project-regular',
    path: inProject('services/web'),
    tries: async ({ page, t, press }) => {
      await page.getByRole('button', { name: t('services.editExternal') }).click()
      await page.getByRole('radio', { name: /LoadBalancer/ }).check()
      const annotations = page.getByRole('dialog').getByRole('group', { name: t('meta.annotations') })
      await addRow(t, annotations, t('do.addAnnotation'), 'a//b', 'x')
      await expect(annotations.getByRole('alert')).toHaveText(t('entries.problem.badKey'))
      await press(t('do.save'))
      await expect(page.getByRole('dialog')).toBeVisible()
    },
  },
  {
    name: 'Invite member',
    who: 'project-admin',
    path: inProject('members'),
    tries: async ({ page, t, at, press }) => {
      await page.getByRole('button', { name: t('members.invite') }).click()
      await press(t('members.inviteDo'))
      for (const id of ['invite-user', 'invite-role']) await expect(at(id)).toHaveText(t('wrong.required'))
      await page.fill('#invite-user', 'Not A Name')
      await expect(at('invite-user')).toHaveText(t('wrong.name'))
    },
  },
  {
    name: 'Create role',
    who: 'project-admin',
    path: inProject('roles'),
    tries: async ({ page, t, at, press }) => {
      await page.getByRole('button', { name: t('roles.create') }).click()
      await page.fill('#role-name', 'Not a name')
      await press(t('do.create'))
      await expect(at('role-name')).toHaveText(t('wrong.name'))
      await expect(page.getByRole('group', { name: t('roles.permissions') }).getByRole('alert')).toHaveText(t('roles.chooseOne'))
      await page.fill('#role-name', 'operator')
      await expect(at('role-name')).toHaveText(t('roles.taken'))
    },
  },
  {
    name: 'Create user',
    who: 'admin',
    path: () => '/users',
    tries: async ({ page, t, at, press }) => {
      await page.getByRole('button', { name: t('users.create') }).click()
      await page.fill('#user-name', 'Not a name')
      await page.fill('#user-email', 'nobody')
      await press(t('do.create'))
      await expect(at('user-name')).toHaveText(t('wrong.name'))
      await expect(at('user-email')).toHaveText(t('wrong.email'))
    },
  },
  ...(['workspace', 'project'] as const).map((of): Form => ({
    name: `Create ${of}`,
    who: 'admin',
    path: () => (of === 'workspace' ? '/workspaces' : '/workspaces/demo-workspace'),
    tries: async ({ page, t, at, press }) => {
      await page.getByRole('button', { name: t(`${of}s.create`) }).first().click()
      await page.fill('#place-name', 'Not a name')
      await press(t('do.create'))
      await expect(at('place-name')).toHaveText(t('wrong.name'))
      await page.fill('#place-name', of === 'workspace' ? 'demo-workspace' : 'demo-project')
      await press(t('do.create'))
      await expect(page.getByRole('dialog').getByText(t('error.exists'))).toBeVisible()
    },
  })),
  {
    name: 'YAML',
    who: 'project-regular',
    path: inProject('routes/taken/yaml'),
    tries: async ({ page, t }) => {
      const editor = page.locator('.cm-content')
      await expect(editor).toContainText('taken.example')
      await editor.click()
      await page.keyboard.press('ControlOrMeta+End')
      await page.keyboard.insertText('\nspec: [twice\n')
      await page.getByRole('button', { name: t('yaml.review') }).click()
      await expect(page.locator('#main').getByRole('alert')).toBeVisible()
      await expect(page.getByText(t('yaml.difference'))).toHaveCount(0)
    },
  },
]

async function look(page: Page, language: Language, of: string, { who, path, tries }: Form) {
  const t = says(language)
  await enter(page, who, path(of))
  const at = (id: string) => page.locator('.field').filter({ has: page.locator(`#${id}`) }).getByRole('alert')
  const press = (text: string) => page.getByRole('dialog').getByRole('button', { name: text, exact: true }).click()
  await tries({ page, t, of, at, press })
  await isAccessible(page)
}

for (const language of LANGUAGES) {
  let of = ''
  test.beforeAll(async () => {
    of = await project(`fields-${language}`)
    await apply('project-regular', [
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: of }, spec: { ports: [{ name: 'http', port: 80 }] } },
      { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name: 'taken', namespace: of }, spec: { rules: [{ host: 'taken.example' }] } },
    ])
  })
  for (const form of FORMS)
    test(`what is wrong is said at its field: ${form.name} (${language})`, async ({ page }) => {
      await speak(page, language)
      await look(page, language, of, form)
    })
}
