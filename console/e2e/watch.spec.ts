// Lists that stay true: at once, without being read again, over broken connections, and only for as long as one may see them.
import { request } from 'node:https'
import type { Http2ServerResponse } from 'node:http2'
import { expect, test, type Page } from '@playwright/test'
import { Between } from './between'
import { as, have, haveProject, haveUser, haveWorkspace, invite, signedIn, type Caller } from './lab'
import { PASSWORDS, says, speak, url } from './people'

const t = says('en')
const [WORKSPACE, PROJECT, MEMBER] = ['w-live', 'w-live', 'w-member']
const INGRESSES = `/apis/networking.k8s.io/v1/namespaces/${PROJECT}/ingresses`
const ROUTES = `/projects/${PROJECT}/routes`
const MERGE = 'application/merge-patch+json'

const route = (name: string, alias = '') => ({ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name, annotations: { 'kubesphere.io/alias-name': alias } }, spec: { rules: [{ host: `${name}.${PROJECT}.kubesphere.io`, http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }] } }] } })
const renamed = async (alias: string) => expect((await (await as('admin')).ask('PATCH', `${INGRESSES}/kept`, { metadata: { annotations: { 'kubesphere.io/alias-name': alias } } }, MERGE)).status).toBe(200)
const shows = (page: Page, text: string) => page.waitForFunction((it) => document.body.innerText.includes(it), text, { polling: 'raf', timeout: 30_000 })
const milliseconds = (what: string, took: number[]) => console.log(`${what}: ${took.map(Math.round).join(', ')} ms`)

test.beforeAll(async () => {
  test.setTimeout(120_000)
  await haveUser(MEMBER)
  await haveWorkspace(WORKSPACE)
  await haveProject(WORKSPACE, PROJECT)
})
test.beforeEach(async ({ page }) => {
  page.setDefaultTimeout(30_000)
  await invite(MEMBER, 'viewer', PROJECT)
  await have(INGRESSES, route('kept', 'as it was'))
  await speak(page, 'en')
})

test('an edit by kubectl shows', async ({ page }) => {
  await (await as(MEMBER)).enter(page)
  await page.goto(url() + ROUTES)
  await shows(page, 'as it was')
  const took: number[] = []
  for (let nth = 0; nth < 5; nth += 1) {
    await renamed(`edit ${nth}`)
    const since = performance.now()
    await shows(page, `edit ${nth}`)
    took.push(performance.now() - since)
  }
  milliseconds('an edit shows after', took)
})

test('one event among 5,000 routes reads no list again; lists are read in pages', async ({ page }) => {
  const between = await Between.stand()
  const many = Array.from({ length: 5_000 }, (_, nth) => ({ ...route(`route-${nth}`), metadata: { name: `route-${nth}`, namespace: PROJECT, uid: `u${nth}`, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' } }))
  let watching: Http2ServerResponse | undefined
  between.instead = (asked, answer) => {
    const at = new URL(asked.url, between.url)
    if (asked.method !== 'GET' || at.pathname !== INGRESSES) return false
    answer.writeHead(200, { 'content-type': 'application/json' })
    if (at.searchParams.get('watch')) {
      watching = answer
      answer.write('\n')
      return true
    }
    const [from, limit] = [Number(at.searchParams.get('continue') ?? 0), Number(at.searchParams.get('limit') ?? Infinity)]
    const rest = from + limit < many.length ? { continue: String(from + limit) } : {}
    answer.end(JSON.stringify({ kind: 'IngressList', apiVersion: 'networking.k8s.io/v1', metadata: { resourceVersion: '1', ...rest }, items: many.slice(from, from + limit) }))
    return true
  }
  try {
    await enterThrough(page, between, await as(MEMBER))
    await page.goto(between.url + ROUTES)
    await shows(page, 'route-0')
    await expect(page.getByText(t('table.count', { shown: 5_000, all: 5_000 }))).toBeVisible()
    await expect.poll(() => watching !== undefined).toBe(true)
    const lists = () => between.asked.filter((it) => it.includes(INGRESSES) && !it.includes('watch=1'))
    expect(lists().length).toBe(10)
    for (const it of lists()) expect(it).toContain('limit=500')
    const before = lists().length
    for (const alias of ['once', 'and again']) {
      watching?.write(`${JSON.stringify({ type: 'MODIFIED', object: { ...many[0], metadata: { ...many[0]!.metadata, resourceVersion: '2', annotations: { 'kubesphere.io/alias-name': alias } } } })}\n`)
      const since = performance.now()
      await shows(page, alias)
      milliseconds('among 5,000, an event shows after', [performance.now() - since])
    }
    expect(lists().length - before).toBe(0)
  } finally {
    between.leave()
  }
})

test('the API gives lists in pages, and says where one goes on', async () => {
  const admin = await as('admin')
  for (const name of ['a', 'b', 'c']) await have(INGRESSES, route(name))
  const names: string[] = []
  let after = ''
  do {
    const { status, body } = await admin.ask('GET', `${INGRESSES}?limit=2${after && `&continue=${encodeURIComponent(after)}`}`)
    expect(status).toBe(200)
    expect(body.items.length).toBeLessThanOrEqual(2)
    names.push(...body.items.map((it: { metadata: { name: string } }) => it.metadata.name))
    after = body.metadata.continue ?? ''
  } while (after)
  expect(names.sort()).toEqual(['a', 'b', 'c', 'kept'])
  for (const name of ['a', 'b', 'c']) await admin.ask('DELETE', `${INGRESSES}/${name}`, {})
})

/** The same session, by the address of who stands between. */
async function enterThrough(page: Page, between: Between, caller: Caller) {
  const { cookies } = await caller.context.storageState()
  await page.context().addCookies(cookies.map(({ name, value, httpOnly, secure, sameSite }) => ({ name, value, httpOnly, secure, sameSite, url: between.url })))
}

test('what happens while the connection is broken is not lost, and the page says that it is broken', async ({ page }) => {
  const between = await Between.stand()
  try {
    await enterThrough(page, between, await as(MEMBER))
    await page.goto(between.url + ROUTES)
    await shows(page, 'as it was')
    between.cut()
    await renamed('after a cut')
    await shows(page, 'after a cut')

    between.away = true
    between.cut()
    await shows(page, t('state.stale'))
    await renamed('while nobody came through')
    between.away = false
    await shows(page, 'while nobody came through')
    await expect(page.getByText(t('state.stale'))).toHaveCount(0, { timeout: 30_000 })

    between.away = true
    between.cut()
    await shows(page, t('state.stale'))
    between.away = false
    await expect(page.getByText(t('state.stale')), 'though nothing has happened').toHaveCount(0, { timeout: 40_000 })
  } finally {
    between.leave()
  }
})

for (const how of ['a status', 'a line'] as const) {
  test(`a version that has expired is told by ${how}: the list is read again, and nothing is lost`, async ({ page }) => {
    const between = await Between.stand()
    let [expired, asked410] = ['', 0]
    // What has expired stays so: whoever comes with that version again is told again.
    between.instead = (asked, answer) => {
      const at = new URL(asked.url, between.url)
      const version = at.searchParams.get('resourceVersion') ?? ''
      if (at.pathname !== INGRESSES || !at.searchParams.get('watch') || (expired && version !== expired)) return false
      expired = version
      asked410 += 1
      const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'Expired', code: 410, message: 'too old resource version' }
      answer.writeHead(how === 'a status' ? 410 : 200, { 'content-type': 'application/json' })
      const edited = asked410 === 1 ? renamed('when it had expired') : Promise.resolve()
      void edited.then(() => answer.end(how === 'a status' ? JSON.stringify(status) : `${JSON.stringify({ type: 'ERROR', object: status })}\n`))
      return true
    }
    try {
      await enterThrough(page, between, await as(MEMBER))
      await page.goto(between.url + ROUTES)
      await shows(page, 'when it had expired')
      expect(asked410, 'nobody insists').toBe(1)
      await renamed('and after')
      await shows(page, 'and after')
    } finally {
      between.leave()
    }
  })
}

/** How long a stream of the server goes on once `then` has been done. */
async function ends(caller: Caller, path: string, then: () => Promise<unknown>): Promise<number> {
  const cookie = await caller.cookie()
  return new Promise((resolve, reject) => {
    let since = 0
    const sent = request(new URL(path, url()), { headers: { Cookie: cookie }, rejectUnauthorized: false }, (answer) => {
      if (answer.statusCode !== 200) return reject(new Error(`${path}: ${answer.statusCode}`))
      answer.resume()
      const over = () => (since > 0 ? resolve(performance.now() - since) : reject(new Error(`${path} ended by itself`)))
      answer.on('end', over).on('error', over)
      // It stands by now.
      setTimeout(() => void then().then(() => (since = performance.now()), reject), 500)
    })
    sent.on('error', (error) => (since > 0 ? resolve(performance.now() - since) : reject(error))).end()
    setTimeout(() => (sent.destroy(), reject(new Error(`${path} goes on`))), 25_000)
  })
}

/** Whether an answer goes on, and is no list. */
async function streams(caller: Caller, path: string): Promise<boolean> {
  const cookie = await caller.cookie()
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, url()), { headers: { Cookie: cookie }, rejectUnauthorized: false }, (answer) => {
      const timer = setTimeout(() => (resolve(answer.statusCode === 200), sent.destroy()), 1_500)
      answer.resume().on('end', () => (clearTimeout(timer), resolve(false))).on('error', () => undefined)
    })
    sent.on('error', reject).end()
  })
}

const uninvited = async () => expect((await (await as('admin')).ask('DELETE', `/apis/rbac.authorization.k8s.io/v1/namespaces/${PROJECT}/rolebindings/${MEMBER}:viewer`, {})).status).toBe(200)

test('a right that is taken away ends what is open, and the page says why', async ({ page }) => {
  await (await as(MEMBER)).enter(page)
  await page.goto(url() + ROUTES)
  await shows(page, 'as it was')
  const took = [await ends(await as(MEMBER), `${INGRESSES}?watch=1`, uninvited)]
  await shows(page, t('error.forbidden'))
  expect(await page.locator('main').innerText()).not.toContain('as it was')
  // However it was asked for.
  for (const query of ['w%61tch=1', 'watch=true', 'watch=1&watch=0', 'watch=']) {
    await invite(MEMBER, 'viewer', PROJECT)
    const path = `${INGRESSES}?${query}`
    await expect.poll(async () => (await (await as(MEMBER)).ask('GET', INGRESSES)).status, { timeout: 30_000 }).toBe(200)
    if (await streams(await as(MEMBER), path)) took.push(await ends(await as(MEMBER), path, uninvited))
    else await uninvited()
  }
  milliseconds('a watch ends after', took)

  await invite(MEMBER, 'viewer', PROJECT)
  await have(`/apis/paifang.dev/v1alpha1/namespaces/${PROJECT}/ingressgateways`, { apiVersion: 'paifang.dev/v1alpha1', kind: 'IngressGateway', metadata: { name: 'gateway' }, spec: { access: { type: 'NodePort' } } })
  await expect.poll(async () => (await (await as(MEMBER)).ask('GET', `/console/gateways/${PROJECT}/gateway/logs?limit=1`)).status, { timeout: 30_000 }).toBe(200)
  milliseconds('a log ends after', [await ends(await as(MEMBER), `/console/gateways/${PROJECT}/gateway/logs?follow=1`, uninvited)])
})

for (const [how, done] of [
  ['is suspended', (user: string) => as('admin').then((it) => it.ask('PATCH', `/apis/paifang.dev/v1alpha1/users/${user}`, { spec: { suspended: true } }, MERGE))],
  ['gets another password', (user: string) => as('admin').then((it) => it.ask('POST', `/apis/paifang.dev/v1alpha1/users/${user}/password`, { newPassword: 'Another-Passw0rd-1' }))],
  ['is deleted', (user: string) => as('admin').then((it) => it.ask('DELETE', `/apis/paifang.dev/v1alpha1/users/${user}`, {}))],
] as const) {
  test(`who ${how} is signed out, and told so`, async ({ page }) => {
    const user = `w-out-${how.split(' ').at(-1)}-${Date.now().toString(36)}`
    await haveUser(user)
    await invite(user, 'viewer', PROJECT)
    const caller = await signedIn(user)
    await caller.enter(page)
    await page.goto(url() + ROUTES)
    await shows(page, 'as it was')
    milliseconds(`the stream of who ${how} ends after`, [await ends(caller, `${INGRESSES}?watch=1`, () => done(user))])
    await expect(page).toHaveURL(/sign-in/)
    await expect(page.getByText(t('signIn.ended'))).toBeVisible()
    expect((await caller.ask('GET', '/console/session')).status).toBe(401)
    await (await as('admin')).ask('DELETE', `/apis/paifang.dev/v1alpha1/users/${user}`, {})
  })
}

test('who signs out here is signed out in the other window too', async ({ page, context }) => {
  await page.goto(`${url()}/sign-in?return=/projects/demo-project/routes`)
  await page.fill('#user', 'project-regular')
  await page.fill('#password', PASSWORDS['project-regular'])
  await page.click('button[type=submit]')
  await expect(page.getByRole('heading', { name: t('routes.title') })).toBeVisible()
  const other = await context.newPage()
  await speak(other, 'en')
  await other.goto(`${url()}/projects/demo-project/services`)
  await expect(other.getByRole('heading', { name: t('services.title') })).toBeVisible()
  await page.getByRole('button', { name: new RegExp(`^${t('shell.you')}`) }).click()
  await page.getByRole('menuitem', { name: t('shell.signOut') }).click()
  await expect(page).toHaveURL(/sign-in/)
  await expect(other).toHaveURL(/sign-in/)
})
