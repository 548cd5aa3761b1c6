// The gateway of everybody and those of projects, side by side: each serves its own, and nothing moves unless it is told to.
import { spawn } from 'node:child_process'
import { expect, test } from '@playwright/test'
import { backend, service, type Backend } from './backend'
import { confirmByName, manage } from './clicks'
import { ask, curl, everybodys, reached, untilAnswers } from './gateways'
import { apply, attempt, project, read, type Manifest } from './kubectl'
import { enter, isAccessible, says, speak, url } from './people'
import { LANGUAGES } from './words'

const backends: Backend[] = []
test.afterAll(() => backends.forEach((it) => it.end()))

async function stock(namespace: string, host: string): Promise<Manifest[]> {
  const it = await backend(namespace)
  backends.push(it)
  return [service(namespace, 'web', it), route(namespace, 'web', host)]
}

const route = (namespace: string, name: string, host: string): Manifest => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name, namespace },
  spec: { rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }] } }] },
})

/** Every address that a route's status shows from now on, in order. */
function watching(namespace: string) {
  const seen: string[] = []
  const child = spawn('kubectl', ['get', 'ingress', 'web', '-n', namespace, '--watch', '-o', 'jsonpath={.status.loadBalancer.ingress[*].ip}{"\\n"}'], { env: { ...process.env, KUBECONFIG: process.env.PAIFANG_KUBECONFIG } })
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    const lines = (rest + part).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== seen.at(-1)) seen.push(line)
  })
  return { seen, end: () => void child.kill() }
}

const addressOf = async (namespace: string) => (await read('admin', 'ingress', 'web', '-n', namespace)).status.loadBalancer?.ingress?.[0]?.ip as string | undefined

for (const language of LANGUAGES) {
  test(`a project's gateway serves its routes alone, and that of everybody the others' (${language})`, async ({ page }) => {
    test.setTimeout(180_000)
    const t = says(language)
    const [a, b, c] = [await project(`with-${language}`), await project(`without-${language}`), await project(`later-${language}`)]
    const [hostA, hostB] = [`a-${language}.example`, `b-${language}.example`]
    const shared = await everybodys()
    await apply('project-admin', [...(await stock(a, hostA)), ...(await stock(b, hostB))])
    for (const [namespace, host] of [[a, hostA], [b, hostB]] as const) await untilAnswers(() => ask(shared, host), { status: 200, body: `${namespace} /` })

    // A's admin enables its gateway, by an address of its own.
    await speak(page, language)
    await enter(page, 'project-admin', `/projects/${a}/gateways`)
    const enable = async () => {
      await page.getByRole('button', { name: t('gateway.enable') }).click()
      await page.getByRole('radio', { name: /LoadBalancer/ }).check()
      await isAccessible(page)
      await page.getByRole('dialog').getByRole('button', { name: t('gateway.enableDo'), exact: true }).click()
      await expect(page.locator('section.card').filter({ hasText: t('gateway.ofProject') }).getByText(t('gateway.running'))).toBeVisible()
      return reached(a)
    }
    const own = await enable()
    expect(own.addresses).not.toEqual(shared.addresses)
    await untilAnswers(() => ask(own, hostA), { status: 200, body: `${a} /` })
    await untilAnswers(() => ask(shared, hostA), { status: 404 })
    expect(await ask(shared, hostB)).toMatchObject({ status: 200, body: `${b} /` })
    expect(await ask(own, hostB)).toMatchObject({ status: 404 })
    await expect.poll(() => addressOf(a)).toBe(own.addresses[0])
    const [watchA, watchB] = [watching(a), watching(b)]
    await expect.poll(() => [watchA.seen, watchB.seen]).toEqual([[own.addresses[0]], [shared.addresses[0]]])

    // Off, and on again.
    await manage(page, t, t('gateway.disable'))
    await confirmByName(page, 'gateway', t('gateway.disable'))
    await expect(page.getByText(t('gateways.none'))).toBeVisible()
    await untilAnswers(() => ask(shared, hostA), { status: 200, body: `${a} /` })
    await expect.poll(() => watchA.seen.at(-1)).toBe(shared.addresses[0])
    const again = await enable()
    await untilAnswers(() => ask(again, hostA), { status: 200, body: `${a} /` })
    await expect.poll(() => watchA.seen.at(-1)).toBe(again.addresses[0])
    expect(watchA.seen.filter(Boolean)).toEqual([own.addresses[0], shared.addresses[0], again.addresses[0]])
    expect(watchB.seen).toEqual([shared.addresses[0]])
    for (const it of [watchA, watchB]) it.end()

    // A host that another project has already on the gateway of everybody.
    await apply('project-admin', await stock(c, hostB))
    await page.goto(`${url()}/projects/${c}/routes/web`)
    await page.getByRole('tab', { name: t('events.title') }).click()
    await expect(page.getByText(new RegExp(`${hostB}.*${b}`)).first()).toBeVisible()
    await expect(page.getByText('HostTaken').first()).toBeVisible()
    expect(await ask(shared, hostB)).toMatchObject({ status: 200, body: `${b} /` })
    await page.goto(`${url()}/projects/${c}/routes`)
    await expect(page.getByText(t('routes.problem'))).toBeVisible()

    // The platform's admin sees both, and deletes the project with all that it had.
    await enter(page, 'admin', '/cluster/gateways')
    await expect(page.getByText(t('gateway.ofCluster')).first()).toBeVisible()
    await page.getByLabel(`${t('do.search')}: ${t('cluster.requested')}`).fill(a)
    await expect(page.getByRole('row').filter({ has: page.getByRole('link', { name: `kubesphere-router-${a}` }) })).toContainText(again.addresses[0] ?? '')
    await isAccessible(page)
    await page.goto(`${url()}/workspaces/demo-workspace`)
    await page.getByRole('textbox', { name: new RegExp(`^${t('do.search')}`) }).fill(a)
    await page.getByRole('button', { name: `${t('do.more')}: ${a}`, exact: true }).click()
    await page.getByRole('menuitem', { name: t('do.delete') }).click()
    await confirmByName(page, a, t('do.delete'))
    await expect(page.getByRole('link', { name: a, exact: true })).toHaveCount(0)
    await expect.poll(async () => (await attempt('admin', ['get', 'deployment', `kubesphere-router-${a}`, '-n', 'kubesphere-controls-system'])).err).toContain('NotFound')
    await expect.poll(() => curl(`http://${again.addresses[0]}:${again.http}/`)).toMatchObject({ status: 0 })
    await apply('project-admin', { apiVersion: 'paifang.dev/v1alpha1', kind: 'IngressGateway', metadata: { name: 'gateway', namespace: c }, spec: { scope: 'Project', access: { type: 'LoadBalancer', loadBalancerIP: again.addresses[0] } } })
    expect((await reached(c)).addresses).toEqual(again.addresses)
    await untilAnswers(() => ask(again, hostB), { status: 200, body: `${c} /` })
  })
}
