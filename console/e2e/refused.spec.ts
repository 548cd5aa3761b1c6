// What is wrong with a route is told where it is: by the API of a field, and on the route where it got through.
import { expect, test } from '@playwright/test'
import { backend, gateway, service } from './backend'
import { certificateFor } from './certificates'
import { manage, save } from './clicks'
import { apply, attempt, project, read, type Manifest } from './kubectl'
import { enter, isAccessible, says, speak, url } from './people'
import { LANGUAGES } from './words'

for (const language of LANGUAGES) {
  const t = says(language)

  test(`what the API does not take is told of a field, and what kubectl gets through is told of the route (${language})`, async ({ page }) => {
    const of = await project(`refused-${language}`)
    const web = await backend('web')
    await apply('project-admin', [gateway(of), service(of, 'web', web)])
    const path = (text: string) => ({ path: text, pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } })
    const route = (name: string, host: string, paths = [path('/')], tls?: object[]): Manifest => ({ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name, namespace: of }, spec: { rules: [{ host, http: { paths } }], ...(tls && { tls }) } })
    const refused = async (input: Manifest) => (await attempt('project-regular', ['create', '-f', '-', '-v=8'], input)).err
    expect(await refused(route('bad', '*foo.com'))).toMatch(/422[\s\S]*spec\.rules\[0\]\.host/)
    expect(await refused({ apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata: { name: 'half', namespace: of }, stringData: { 'tls.crt': certificateFor('half.example').certificate } })).toMatch(/422[\s\S]*tls\.key/)

    await speak(page, language)
    await enter(page, 'project-regular', `/projects/${of}/routes`)
    await apply('project-regular', [route('no-secret', 'secret.example', [path('/')], [{ hosts: ['secret.example'], secretName: 'missing' }]), route('twice', 'twice.example', [path('/a'), path('/a')])])
    for (const name of ['no-secret', 'twice']) {
      await page.goto(`${url()}/projects/${of}/routes`)
      await expect(page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) }).getByText(t('routes.problem'))).toBeVisible()
      await page.getByRole('link', { name, exact: true }).click()
      await page.getByRole('tab', { name: t('events.title') }).click()
      const said = page.getByText(name === 'twice' ? /spec\.rules\[0\]\.http\.paths\[1\]/ : /spec\.tls\[0\].*missing/)
      await expect(said).toBeVisible()
      if (language === 'zh') {
        await expect(page.getByRole('row').filter({ has: said })).toContainText(name === 'twice' ? '路径重复' : '保密字典不存在')
        await expect(said).toHaveText(name === 'twice' ? /域名 twice\.example 的路径“\/a”重复，采用 spec/ : /保密字典 .*\/missing 不存在，因此使用网关自带的证书。/)
        await expect(said).toHaveAttribute('title', name === 'twice' ? /is named twice/ : /does not exist/)
      }
    }
    // A port name that is too long passes the form, and not the API.
    await page.goto(`${url()}/projects/${of}/routes/twice`)
    await manage(page, t, t('routes.editRules'))
    const paths = page.getByRole('dialog').locator('.path')
    await expect(paths).toHaveCount(2)
    await page.getByRole('textbox', { name: `${t('rules.path')} 2` }).fill('/b')
    await page.getByRole('combobox', { name: `${t('rules.port')} 2` }).fill('not-a-port-name-of-kubernetes')
    await page.keyboard.press('Tab')
    await page.getByRole('dialog').getByRole('button', { name: t('do.save'), exact: true }).click()
    await expect(paths.nth(1).getByRole('alert')).toBeVisible()
    await isAccessible(page)
    await page.getByRole('combobox', { name: `${t('rules.port')} 2` }).fill('80')
    await page.keyboard.press('Tab')
    await save(page, t)
    expect((await read('project-regular', 'ingress', 'twice', '-n', of)).spec.rules[0].http.paths.map((it: { path: string }) => it.path)).toEqual(['/a', '/b'])
    web.end()
  })
}
