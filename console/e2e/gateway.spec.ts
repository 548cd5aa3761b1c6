// A project's gateway by node ports: enabled by its admin, seen by its operator, and what others see of both.
import { expect, test } from '@playwright/test'
import { confirmByName, manage } from './clicks'
import { curl, reached } from './gateways'
import { apply, attempt, kubectl, project, read } from './kubectl'
import { enter, isAccessible, listen, says, speak, url } from './people'
import { LANGUAGES } from './words'

const NAMESPACE = 'kubesphere-controls-system'
const request = (namespace: string, name: string) => ({ apiVersion: 'paifang.dev/v1alpha1', kind: 'IngressGateway', metadata: { name, namespace }, spec: { scope: 'Project', access: { type: 'NodePort' } } })

for (const language of LANGUAGES) {
  test(`a project admin enables a gateway by node ports, looks at it and disables it (${language})`, async ({ page }) => {
    const t = says(language)
    const of = language === 'en' ? 'demo-project' : await project(`enabled-${language}`)
    const at = `/projects/${of}/gateways`
    const router = `kubesphere-router-${of}`
    const errors = listen(page)
    await speak(page, language)
    await enter(page, 'project-admin', at)
    await page.getByRole('button', { name: t('gateway.enable') }).click()
    const dialog = page.getByRole('dialog')
    await expect(dialog.getByRole('radio', { name: /NodePort/ })).toBeChecked()
    await expect(dialog.getByText(t('access.nodePortNote'))).toBeVisible()
    await isAccessible(page)
    await dialog.getByRole('button', { name: t('gateway.enableDo'), exact: true }).click()
    await expect(page.getByText(t('gateway.running')).first()).toBeVisible({ timeout: 60_000 })
    const card = page.locator('section.card').filter({ hasText: t('gateway.ofProject') })
    await isAccessible(page)

    // What kubectl and a client say of it.
    const { addresses, http, https } = await reached(of)
    for (const port of [http, https]) expect(port >= 30_000 && port <= 32_767, `${port} is a node port`).toBe(true)
    await expect(card.getByText(`HTTP ${http} · HTTPS ${https}`)).toBeVisible()
    for (const address of addresses) await expect(card.getByText(address, { exact: true })).toBeVisible()
    await read('admin', 'deployment', router, '-n', NAMESPACE)
    const service = await read('admin', 'service', router, '-n', NAMESPACE)
    expect(service.spec.ports.map((it: { nodePort: number }) => it.nodePort)).toEqual(expect.arrayContaining([http, https]))
    for (const node of [...addresses, '127.0.0.1']) expect(await curl(`http://${node}:${http}/`)).toMatchObject({ status: 404, body: '404 Not Found: no-route\n' })
    expect((await read('project-admin', 'igw', 'gateway', '-n', of)).metadata.annotations['kubesphere.io/creator']).toBe('project-admin')

    await card.getByRole('button', { name: t('do.view') }).click()
    await expect(page).toHaveURL(new RegExp(`gateways/${of}/gateway`))
    for (const tab of ['gateway.options', 'gateway.logs', 'gateway.status', 'meta.title', 'events.title'] as const) {
      await page.getByRole('tab', { name: t(tab) }).click()
      await isAccessible(page)
    }
    await manage(page, t, t('gateway.disable'))
    await confirmByName(page, 'gateway', t('gateway.disable'))
    await expect(page).toHaveURL(new RegExp(`${at}$`))
    await expect(page.getByText(t('gateways.none'))).toBeVisible()
    await expect.poll(() => curl(`http://${addresses[0]}:${http}/`)).toMatchObject({ status: 0 })
    expect((await attempt('admin', ['get', 'deployment', router, '-n', NAMESPACE])).err).toContain('NotFound')
    expect(errors).toEqual([])
  })

  test(`there is one gateway to a project, and who asks for a second is told (${language})`, async ({ page }) => {
    const t = says(language)
    const of = await project(`second-${language}`)
    await apply('project-admin', request(of, 'gateway'))
    const { addresses, http } = await reached(of)
    await speak(page, language)
    await enter(page, 'project-admin', `/projects/${of}/gateways`)
    await expect(page.getByText(t('gateway.running')).first()).toBeVisible()
    await expect(page.getByRole('button', { name: t('gateway.enable') })).toHaveCount(0)
    await apply('project-admin', request(of, 'second'))
    const refused = page.locator('section.card').filter({ hasText: t('gateway.refused') })
    await expect(refused.getByText(`IngressGateway ${of}/gateway ${language === 'zh' ? '更早申请了此网关' : 'asked for this gateway first'}`)).toBeVisible()
    const conditions = (await read('project-admin', 'igw', 'second', '-n', of)).status.conditions
    expect(conditions.find((it: { type: string }) => it.type === 'Accepted')).toMatchObject({ status: 'False', reason: 'Conflict' })
    expect(await curl(`http://${addresses[0]}:${http}/`)).toMatchObject({ status: 404 })
    await isAccessible(page)
  })

  test(`an operator sees a gateway, and why there is nothing to enable or change (${language})`, async ({ page }) => {
    const t = says(language)
    const of = await project(`seen-${language}`)
    const at = `/projects/${of}/gateways`
    await speak(page, language)
    await enter(page, 'project-regular', at)
    await expect(page.getByText(t('gateways.none'))).toBeVisible()
    await expect(page.getByRole('button', { name: t('gateway.enable') })).toHaveCount(0)
    await page.getByRole('button', { name: t('why.ask') }).click()
    await expect(page.getByText(t('gateways.mayNot'))).toBeVisible()
    await expect(page.getByText(t('why.whom', { who: 'project-admin' }))).toBeVisible()
    await isAccessible(page)
    const { code, err } = await attempt('project-regular', ['apply', '-f', '-'], request(of, 'gateway'))
    expect([code, err]).toEqual([1, expect.stringContaining('Forbidden')])

    await apply('project-admin', request(of, 'gateway'))
    await expect(page.getByText(t('gateway.running')).first()).toBeVisible()
    const { http } = await reached(of)
    await expect(page.getByText(new RegExp(`HTTP ${http}`))).toBeVisible()
    await expect(page.getByRole('button', { name: t('do.manage') })).toHaveCount(0)
    await page.goto(`${url()}${at}/${of}/gateway`)
    await expect(page.getByRole('tab', { name: t('gateway.monitoring') })).toBeVisible()
    await expect(page.getByRole('button', { name: t('do.manage') })).toHaveCount(0)
    expect(await kubectl('project-regular', ['get', 'igw', 'gateway', '-n', of, '-o', 'name'])).toContain('gateway')
    expect((await attempt('project-regular', ['delete', 'igw', 'gateway', '-n', of])).err).toContain('Forbidden')
  })
}
