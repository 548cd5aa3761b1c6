// A gateway's options and its tracing, as its admin saves them in the console.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@playwright/test'
import { backend, collector, gateway, service } from './backend'
import { addRow, manage, save } from './clicks'
import { ask, reached, untilAnswers } from './gateways'
import { apply, project, read } from './kubectl'
import { enter, isAccessible, says, speak } from './people'
import { LANGUAGES } from './words'

const HOST = 'options.example'
const folder = mkdtempSync(join(tmpdir(), 'paifang-body-'))
const twoMegabytes = join(folder, 'two')
writeFileSync(twoMegabytes, randomBytes(2 << 20))
test.afterAll(() => rmSync(folder, { recursive: true, force: true }))

const route = (namespace: string, name: string, path: string, annotations: Record<string, string> = {}) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name, namespace, annotations },
  spec: { rules: [{ host: HOST, http: { paths: [{ path, pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }] } }] },
})

for (const language of LANGUAGES) {
  test(`a body has a limit and a trace begins at the gateway once its admin has said so (${language})`, async ({ page }) => {
    const t = says(language)
    const of = await project(`options-${language}`)
    const [web, spans] = [await backend('web'), await collector()]
    await apply('project-admin', [
      gateway(of, { config: { 'proxy-body-size': '8m' } }),
      service(of, 'web', web),
      route(of, 'web', '/'),
      route(of, 'upstream', '/upstream', { 'nginx.ingress.kubernetes.io/service-upstream': 'true' }),
    ])
    const at = await reached(of)
    const big = () => ask(at, HOST, '/big', '--request', 'POST', '--data-binary', `@${twoMegabytes}`)
    for (const path of ['/', '/upstream']) await untilAnswers(() => ask(at, HOST, path), { status: 200 })
    expect(await big()).toMatchObject({ status: 200 })
    expect(web.heard.at(-1)?.headers.traceparent).toBeUndefined()

    await speak(page, language)
    await enter(page, 'project-admin', `/projects/${of}/gateways/${of}/gateway`)
    await manage(page, t, t('do.edit'))
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('group', { name: t('gateway.options') }).getByLabel(`${t('entries.value')} 1`).fill('1m')
    await dialog.getByRole('switch', { name: t('gateway.tracing') }).click()
    await page.locator('#endpoint').fill(spans.url)
    await isAccessible(page)
    await save(page, t)

    await expect.poll(big).toMatchObject({ status: 413 })
    expect((await read('project-admin', 'igw', 'gateway', '-n', of)).spec).toMatchObject({ config: { 'proxy-body-size': '1m' }, tracing: { enabled: true, endpoint: spans.url } })
    for (const path of ['/plain', '/upstream']) {
      await untilAnswers(() => ask(at, HOST, path), { status: 200, body: `web ${path}` })
      const heard = /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/.exec(String(web.heard.at(-1)?.headers.traceparent))
      expect(heard, 'the backend is told which trace it is of').not.toBeNull()
      await expect.poll(() => spans.spans.filter((it) => it.trace === heard?.[1] && it.parent === ''), `the trace of ${path}`).toEqual([expect.objectContaining({ service: `kubesphere-router-${of}` })])
      expect(spans.spans.map((it) => it.span)).toContain(heard?.[2])
    }
    await page.getByRole('tab', { name: t('gateway.options') }).click()
    await expect(page.getByText('proxy-body-size')).toBeVisible()
    web.end()
    spans.end()
  })

  test(`an option that nobody knows is told at its field and on the gateway, which goes on (${language})`, async ({ page }) => {
    const t = says(language)
    const of = await project(`unknown-${language}`)
    const web = await backend('web')
    await apply('project-admin', [
      gateway(of),
      service(of, 'web', web),
      route(of, 'web', '/'),
    ])
    const at = await reached(of)
    await untilAnswers(() => ask(at, HOST), { status: 200 })
    await speak(page, language)
    await enter(page, 'project-admin', `/projects/${of}/gateways`)
    await manage(page, t, t('do.edit'))
    const options = page.getByRole('dialog').getByRole('group', { name: t('gateway.options') })
    await addRow(t, options, t('gateway.addOption'), 'proxy-body-sise', '1m')
    await expect(options.getByRole('alert')).toContainText(language === 'zh' ? '没有此选项' : 'no such option is known')
    await addRow(t, options, t('gateway.addOption'), 'proxy-body-size', 'much')
    await expect(options.getByRole('alert')).toHaveCount(2)
    await isAccessible(page)
    await options.getByRole('button', { name: t('entries.remove', { key: 'proxy-body-size' }) }).click()
    await save(page, t)
    await expect(page.locator('#main').getByText(/spec\.config\[proxy-body-sise\]/)).toBeVisible()
    expect(await ask(at, HOST)).toMatchObject({ status: 200 })
    web.end()
  })
}
