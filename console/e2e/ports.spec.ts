// A node port that the cluster does not give: said on the gateway's card and at the field, with the ports that it does give.
import { expect, test } from '@playwright/test'
import { gateway } from './backend'
import { manage, save } from './clicks'
import { apply, project, read } from './kubectl'
import { enter, isAccessible, listen, says, speak } from './people'
import { LANGUAGES } from './words'

const ASKED = 40_000

for (const language of LANGUAGES) {
  const t = says(language)

  test(`a node port that is not given is said where one looks (${language})`, async ({ page }) => {
    const of = await project(`ports-${language}`)
    const errors = listen(page)
    await apply('project-admin', gateway(of, { access: { type: 'NodePort', nodePorts: { http: ASKED } } }))
    const told = async () => (await read('project-admin', 'igw', 'gateway', '-n', of)).status?.conditions?.find((it: { type: string }) => it.type === 'AddressAssigned')?.message ?? ''
    await expect.poll(told).toContain('is not in the range')
    const [, from, to] = /range (\d+) to (\d+)/.exec(await told()) ?? []
    await speak(page, language)
    await enter(page, 'project-admin', `/projects/${of}/gateways`)
    await expect(page.locator('.note.warn').filter({ hasText: t('remark.NodePortsRefused') })).toContainText(String(ASKED))
    await isAccessible(page)

    await manage(page, t, t('do.edit'))
    const wrong = page.locator('.field').filter({ has: page.locator('#httpPort') }).getByRole('alert')
    await expect(wrong).toContainText(String(ASKED))
    const button = page.getByRole('dialog').getByRole('button', { name: t('do.save'), exact: true })
    await expect(button).toBeEnabled()
    await page.fill('#httpPort', String(Number(to) + 1))
    await expect(wrong).toHaveText(t('gateway.wrong.range', { from: from ?? '', to: to ?? '' }))
    await expect(button).toBeDisabled()
    await isAccessible(page)
    // Of a port that another Service has a cluster says this, where `paifang up` waits and sees.
    const causes = [{ field: 'spec.ports[0].nodePort', reason: 'FieldValueInvalid', message: 'Invalid value: provided port is already allocated' }]
    await page.route('**/services?*dryRun=All*', (route) => route.fulfill({ status: 422, json: { kind: 'Status', reason: 'Invalid', message: 'invalid', details: { causes } } }))
    await page.fill('#httpPort', from ?? '')
    await expect(wrong).toHaveText(t('gateway.wrong.taken'))
    await page.unroute('**/services?*dryRun=All*')
    await page.fill('#httpPort', String(Number(to) - LANGUAGES.indexOf(language)))
    await expect(wrong).toHaveCount(0)
    await save(page, t)
    await expect(page.getByText(t('remark.NodePortsRefused'))).toHaveCount(0)
    expect(errors).toEqual([])
  })
}
