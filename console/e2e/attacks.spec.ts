// What somebody hostile sends to the server: all of it is refused, and what is refused says so.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from '@playwright/test'
import { as, drawn, haveProject, haveUser, haveWorkspace, have, invite, passwordOf, raw, settled, signedIn, visit, type Answer } from './lab'
import { PASSWORDS, says, signIn, speak, url } from './people'
import { evilBackend, poison, PROJECT, spread, visitGateway, WORKSPACE } from './poison'
import { eachTab, look, watchOver } from './scripts'

const JSON_TYPE = { 'Content-Type': 'application/json' }
const ME = 'x-operator'
const [MINE, THEIRS] = ['x-mine', 'x-theirs']
const SECRET_WORD = 'kept-from-strangers'
const ROUTES = (project: string) => `/apis/networking.k8s.io/v1/namespaces/${project}/ingresses`

const route = (name: string) => ({ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name, annotations: { 'example.com/word': SECRET_WORD } }, spec: { rules: [{ host: `${SECRET_WORD}.kubesphere.io`, http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'sample', port: { number: 80 } } } }] } }] } })
const refused = ({ status, body }: Answer, code: number, reason: string) => expect({ status, reason: body.reason }).toEqual({ status: code, reason })

test.beforeAll(async () => {
  test.setTimeout(120_000)
  for (const user of [ME, 'x-owner']) await haveUser(user)
  for (const [workspace, project] of [['x-one', MINE], ['x-two', THEIRS]] as const) {
    await haveWorkspace(workspace)
    await haveProject(workspace, project)
  }
  await invite(ME, 'operator', MINE)
  await invite('x-owner', 'admin', THEIRS)
  await have(ROUTES(THEIRS), route('theirs'))
  await have(`/api/v1/namespaces/${THEIRS}/secrets`, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'theirs' }, stringData: { word: SECRET_WORD } })
  await have(`/apis/paifang.dev/v1alpha1/namespaces/${THEIRS}/ingressgateways`, { apiVersion: 'paifang.dev/v1alpha1', kind: 'IngressGateway', metadata: { name: 'gateway' }, spec: { access: { type: 'NodePort' } } })
})

test('a request without the session’s token changes nothing', async () => {
  const me = await as(ME)
  const cookie = await me.cookie()
  const other = await signedIn(ME)
  const send = (headers: Record<string, string>, method = 'POST') => raw(ROUTES(MINE), { method, headers: { Cookie: cookie, ...JSON_TYPE, ...headers }, body: JSON.stringify(route('forged')) })
  const wrong: Record<string, string>[] = [{}, { 'X-CSRF-Token': '' }, { 'X-CSRF-Token': 'guessed' }, { 'X-CSRF-Token': me.csrf.slice(1) }, { 'X-CSRF-Token': `${me.csrf}x` }, { 'X-CSRF-Token': other.csrf }]
  for (const headers of wrong) refused(await send(headers), 403, 'Csrf')
  const token = { 'X-CSRF-Token': me.csrf }
  for (const origin of ['https://evil.example', 'null', url().replace('https', 'http'), `${url()}.evil.example`]) refused(await send({ ...token, Origin: origin }), 403, 'Csrf')
  for (const site of ['cross-site', 'same-site', 'none']) refused(await send({ ...token, 'Sec-Fetch-Site': site }), 403, 'Csrf')
  expect((await me.ask('GET', `${ROUTES(MINE)}/forged`)).status).toBe(404)
  expect((await send({ ...token, Origin: url(), 'Sec-Fetch-Site': 'same-origin' })).status, 'and with it, it is done').toBe(201)
  expect((await me.ask('DELETE', `${ROUTES(MINE)}/forged`, {})).status).toBe(200)
})

test('what a form can send is not taken', async () => {
  const me = await as(ME)
  const headers = { Cookie: await me.cookie(), 'X-CSRF-Token': me.csrf }
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/plain; application/json', 'TEXT/HTML']) {
    refused(await raw(ROUTES(MINE), { method: 'POST', headers: { ...headers, 'Content-Type': type }, body: JSON.stringify(route('forged')) }), 415, 'UnsupportedMediaType')
    refused(await raw('/console/login', { method: 'POST', headers: { 'Content-Type': type }, body: JSON.stringify({ username: ME, password: passwordOf(ME) }) }), 415, 'UnsupportedMediaType')
  }
  refused(await raw(ROUTES(MINE), { method: 'POST', headers, body: JSON.stringify(route('forged')) }), 415, 'UnsupportedMediaType')
  expect((await me.ask('GET', `${ROUTES(MINE)}/forged`)).status).toBe(404)
})

test('a method cannot be slipped in beside the request’s own', async () => {
  const me = await as(ME)
  await me.ask('POST', ROUTES(MINE), route('stays'))
  const cookie = { Cookie: await me.cookie() }
  for (const name of ['X-HTTP-Method-Override', 'X-Method-Override', 'X-HTTP-Method']) await raw(`${ROUTES(MINE)}/stays?_method=DELETE`, { headers: { ...cookie, [name]: 'DELETE' } })
  expect((await me.ask('GET', `${ROUTES(MINE)}/stays`)).status).toBe(200)
  for (const method of ['TRACE', 'OPTIONS', 'PROPFIND']) expect((await raw('/', { method, headers: cookie })).status, method).toBe(405)
  await me.ask('DELETE', `${ROUTES(MINE)}/stays`, {})
})

/** A page of another site, which the browser visits while somebody is signed in. */
async function elsewhere(body: string): Promise<{ server: Server; at: string }> {
  const server = createServer((_, answer) => answer.writeHead(200, { 'Content-Type': 'text/html' }).end(`<!doctype html><title>elsewhere</title>${body}`))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // Another name for the same machine: another site.
  return { server, at: `http://localhost:${(server.address() as AddressInfo).port}/` }
}

test('a page of another site sends nothing in somebody’s name, and shows nothing of ours', async ({ page }) => {
  await speak(page, 'en')
  await signIn(page, 'project-regular', '/projects/demo-project/routes')
  const path = `${url()}${ROUTES('demo-project')}`
  const { server, at } = await elsewhere(`
    <iframe name="framed" src="${url()}/account"></iframe>
    <form id="form" method="post" enctype="text/plain" target="sent" action="${path}"><input name='{"kind":"Ingress","x":"' value='"}'></form>
    <iframe name="sent"></iframe>`)
  try {
    await page.goto(at)
    const outcome = await page.evaluate(async (target) => {
      const attempt = (init: RequestInit) => fetch(target, init).then((it) => `answered ${it.type} ${it.status}`, () => 'refused')
      const body = JSON.stringify({ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name: 'forged' } })
      return {
        read: await attempt({ credentials: 'include' }),
        written: await attempt({ method: 'POST', credentials: 'include', headers: { 'Content-Type': 'application/json' }, body }),
        plain: await attempt({ method: 'POST', credentials: 'include', headers: { 'Content-Type': 'text/plain' }, body }),
      }
    }, path)
    expect(outcome).toEqual({ read: 'refused', written: 'refused', plain: 'refused' })
    const sent = page.waitForResponse((it) => it.url() === path)
    await page.evaluate(() => document.querySelector<HTMLFormElement>('#form')?.submit())
    expect([401, 403, 415]).toContain((await sent).status())
    const framed = page.frame('framed')
    expect(framed?.url() === 'about:blank' || framed?.url().startsWith('chrome-error:'), `framed: ${framed?.url()}`).toBe(true)
  } finally {
    server.close()
  }
  expect((await (await as('project-regular')).ask('GET', `${ROUTES('demo-project')}/forged`)).status).toBe(404)
})

test('a session begins with signing in, whatever the browser had before, and its cookie is no script’s', async ({ page }) => {
  const planted = 'A'.repeat(43)
  const answer = await raw('/console/login', { method: 'POST', headers: { ...JSON_TYPE, Cookie: `__Host-paifang=${planted}` }, body: JSON.stringify({ username: ME, password: passwordOf(ME) }) })
  expect(answer.status).toBe(200)
  const [set = ''] = answer.headers['set-cookie']?.split(/,(?=\s*__Host)/) ?? []
  expect(set).toMatch(/^__Host-paifang=[\w-]{43,}; Path=\/; HttpOnly; Secure; SameSite=Strict$/)
  expect(set).not.toContain(planted)
  refused(await raw('/console/session', { headers: { Cookie: `__Host-paifang=${planted}` } }), 401, 'NotSignedIn')

  const first = set.split(';')[0] ?? ''
  expect((await raw('/console/session', { headers: { Cookie: first } })).status).toBe(200)
  const again = await raw('/console/login', { method: 'POST', headers: { ...JSON_TYPE, Cookie: first }, body: JSON.stringify({ username: ME, password: passwordOf(ME) }) })
  refused(await raw('/console/session', { headers: { Cookie: first } }), 401, 'NotSignedIn')
  const second = again.headers['set-cookie']?.split(';')[0] ?? ''
  refused(await raw('/console/session', { headers: { Cookie: `${second}; __Host-paifang=${planted}` } }), 401, 'NotSignedIn')
  expect(second).not.toBe(first)

  await speak(page, 'en')
  await signIn(page, 'project-regular')
  expect(await page.evaluate(() => document.cookie)).toBe('')
  const kept = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }))
  const { csrf } = (await (await page.request.get(`${url()}/console/session`)).json()) as { csrf: string }
  for (const word of [csrf, PASSWORDS['project-regular']]) expect(kept).not.toContain(word)
})

test('who is asked for is who is signed in', async () => {
  const me = await as(ME)
  const cookie = { Cookie: await me.cookie() }
  const names = ['Impersonate-User', 'impersonate-group', 'Impersonate-Uid', 'Impersonate-Extra-Scopes']
  for (const name of names) refused(await raw(ROUTES(THEIRS), { headers: { ...cookie, [name]: name.endsWith('roup') ? 'system:masters' : 'admin' } }), 403, 'Forbidden')
  const whoami = (headers: Record<string, string>) => raw('/apis/authentication.k8s.io/v1/selfsubjectreviews', { method: 'POST', headers: { ...cookie, ...JSON_TYPE, 'X-CSRF-Token': me.csrf, ...headers }, body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }) })
  const forged: Record<string, string>[] = [{}, { 'X-Remote-User': 'admin', 'X-Remote-Group': 'system:masters' }, { Authorization: 'Bearer forged' }, { Authorization: 'Basic YWRtaW46YWRtaW4=' }, { 'X-Forwarded-User': 'admin' }]
  for (const headers of forged) {
    const { username, groups = [] } = (await whoami(headers)).body.status?.userInfo ?? {}
    expect(username, JSON.stringify(headers)).toBe(ME)
    expect(groups).not.toContain('system:masters')
  }
  refused(await raw(ROUTES(MINE), { headers: { Authorization: 'Bearer forged', 'X-Remote-User': 'admin' } }), 401, 'NotSignedIn')
})

test('what belongs to others is refused, and nothing of it is said', async ({ page }) => {
  test.setTimeout(180_000)
  const me = await as(ME)
  const gateway = `/console/gateways/${THEIRS}/gateway`
  const asked: [string, string, object?][] = [
    ['GET', ROUTES(THEIRS)], ['GET', `${ROUTES(THEIRS)}/theirs`], ['GET', `${ROUTES(THEIRS)}?watch=1`], ['GET', '/apis/networking.k8s.io/v1/ingresses'], ['DELETE', `${ROUTES(THEIRS)}/theirs`, {}],
    ['GET', `/api/v1/namespaces/${THEIRS}/secrets/theirs`], ['GET', '/api/v1/secrets'], ['GET', `/api/v1/namespaces/${THEIRS}/events`], ['GET', `/apis/paifang.dev/v1alpha1/users/x-owner`], ['GET', '/apis/paifang.dev/v1alpha1/workspaces/x-two'],
    ['GET', `${gateway}/metrics?window=5m`], ['GET', `${gateway}/logs?limit=10`], ['GET', `${gateway}/logs?follow=1`], ['POST', `${gateway}/try`, { method: 'GET', url: `http://${SECRET_WORD}.kubesphere.io/`, headers: {} }], ['POST', `${gateway}/check`, { url: `http://${SECRET_WORD}.kubesphere.io/` }],
    ['GET', '/console/gateways/kubesphere-system/cluster/logs'], ['GET', '/console/gateways/no-such-place/gateway/metrics'],
    ['GET', `/console/gateways?namespace=${THEIRS}`], ['GET', '/console/gateways'], ['POST', '/console/certificate', { namespace: THEIRS, name: 'theirs', hosts: [] }],
  ]
  for (const [method, path, body] of asked) {
    const answer = await me.ask(method, path, body)
    expect([403, 404], `${method} ${path}: ${answer.text}`).toContain(answer.status)
    expect(answer.text.replaceAll(path, '')).not.toContain(SECRET_WORD)
  }
  const { pools = [] } = (await me.ask('GET', '/console/pools')).body
  for (const pool of pools) for (const owner of pool.owners) expect(owner.namespace).not.toBe(THEIRS)

  const t = says('en')
  await speak(page, 'en')
  await me.enter(page)
  const silent: string[] = []
  for (const path of [`/projects/${THEIRS}`, `/projects/${THEIRS}/routes`, `/projects/${THEIRS}/routes/theirs`, `/projects/${THEIRS}/routes/theirs/yaml`, `/projects/${THEIRS}/services`, `/projects/${THEIRS}/services/theirs`, `/projects/${THEIRS}/secrets`, `/projects/${THEIRS}/others/httproutes`, `/projects/${THEIRS}/gateways`, `/projects/${THEIRS}/gateways/${THEIRS}/gateway`, `/projects/${THEIRS}/members`, `/projects/${THEIRS}/roles`, '/workspaces/x-two', '/users', '/cluster/gateways', `/cluster/gateways/${THEIRS}/gateway`]) {
    await visit(page, path)
    const said = await page.locator('main#main').innerText()
    expect(said, path).not.toContain(SECRET_WORD)
    if (!said.includes(t('error.forbidden'))) silent.push(path)
  }
  expect(silent, 'pages that do not say that one may not').toEqual([])
})

test('which host a project would get is told to who is in it', async () => {
  const asked = { namespace: THEIRS, services: ['theirs'] }
  expect((await (await as('x-owner')).ask('POST', '/console/generated-host', asked)).status).toBe(200)
  refused(await (await as(ME)).ask('POST', '/console/generated-host', asked), 403, 'Forbidden')
})

test('a path has one meaning', async () => {
  const cookie = { Cookie: await (await as('admin')).cookie() }
  for (const path of ['/api/../console/session', '/api/%2e%2e/console/session', '/api/.%2e/v1', '//api/v1', '/api//v1', '/api/v1//namespaces', '/api%2fv1', '/api/v1/namespaces%2fdefault', '/api/v1%5cpods', '/api/v1\\pods', '/api/%252e%252e/console', '/api/%00', '/api/v1%0d%0ax', '/assets/../index.html', '/assets/..%2findex.html', '/./api/v1', '/console/../api/v1/secrets', '/console/gateways/a%2fb/c/metrics']) refused(await raw(path, { headers: cookie }), 400, 'BadPath')
  for (const path of ['/api/v1/namespaces/default/services/kubernetes/proxy/', '/api/v1/namespaces/demo-project/services/httpbin:80/proxy/html', '/api/v1/nodes/node/proxy/logs', '/api/v1/namespaces/demo-project/pods/x/exec?command=id', '/api/v1/namespaces/demo-project/pods/x/%70roxy/']) refused(await raw(path, { headers: cookie }), 403, 'Forbidden')
  refused(await raw('/console/no-such-thing', { headers: cookie }), 404, 'NotFound')
})

test('no answer is guessed at, framed, kept or run', async () => {
  const me = await as(ME)
  const cookie = { Cookie: await me.cookie() }
  const answers: [string, Answer][] = []
  for (const path of ['/', '/sign-in', '/projects/x/routes', '/console/session', '/console/permissions', '/console/oidc', '/console/none', '/assets/none.js', ROUTES(MINE), `/api/v1/namespaces/${MINE}/secrets`, '/version', '/openapi/v3']) answers.push([path, await raw(path, { headers: cookie })])
  for (const [path, { headers }] of answers) {
    expect(headers['x-content-type-options'], path).toBe('nosniff')
    expect(headers['x-frame-options'], path).toBe('DENY')
    expect(headers['content-security-policy'], path).toContain("default-src 'none'")
    expect(headers['content-security-policy'], path).toContain("frame-ancestors 'none'")
    expect(headers['referrer-policy'], path).toBe('no-referrer')
    expect(headers['cross-origin-resource-policy'], path).toBe('same-origin')
    expect(headers['cache-control'], path).toMatch(/no-store|private/)
    expect(headers['access-control-allow-origin'], path).toBeUndefined()
    expect(headers['content-type'] ?? 'application/json', path).toMatch(/json|^text\/html; charset=utf-8$/)
  }
  const nonces = (await Promise.all([raw('/'), raw('/')])).map(({ headers }) => /'nonce-([\w-]+)'/.exec(headers['content-security-policy'] ?? '')?.[1])
  expect(nonces[0]).toBeTruthy()
  expect(nonces[0]).not.toBe(nonces[1])
  const { headers } = await raw('/')
  expect(headers['content-security-policy']).not.toMatch(/unsafe|\*|https?:/)
})

test('nobody is sent elsewhere by signing in', async ({ page }) => {
  await speak(page, 'en')
  for (const evil of ['https://evil.example/', '//evil.example/', '/\\evil.example', '\\\\evil.example', 'javascript:window.canary=1', '/%09/evil.example', '/sign-in?return=//evil.example']) {
    await page.context().clearCookies()
    await page.goto(`${url()}/sign-in?return=${encodeURIComponent(evil)}`)
    await page.fill('#user', 'project-regular')
    await page.fill('#password', PASSWORDS['project-regular'])
    await page.click('button[type=submit]')
    await expect(page.locator('form')).toHaveCount(0)
    expect(new URL(page.url()).origin, evil).toBe(url())
    expect(await page.evaluate(() => 'canary' in window)).toBe(false)
  }
  for (const evil of ['https://evil.example/', '//evil.example/', '/\\evil.example']) {
    const { status, headers } = await raw(`/console/oidc/start?return=${encodeURIComponent(evil)}`)
    if (status === 302) expect(headers.location).not.toContain('evil.example')
    else expect(status).toBe(404)
  }
})

test('a password stands in no address, and is not guessed for long', async ({ page }) => {
  const asked: string[] = []
  page.on('request', (it) => asked.push(it.url()))
  await speak(page, 'en')
  await signIn(page, 'project-regular')
  expect(asked.filter((it) => it.includes(PASSWORDS['project-regular']) || it.includes(encodeURIComponent(PASSWORDS['project-regular'])))).toEqual([])

  const name = `x-guessed-${Date.now().toString(36)}`
  await haveUser(name)
  const guess = (password: string) => raw('/console/login', { method: 'POST', headers: JSON_TYPE, body: JSON.stringify({ username: name, password }) })
  let answer = await guess('wrong 0')
  for (let tries = 1; tries < 10 && answer.status === 401; tries += 1) answer = await guess(`wrong ${tries}`)
  refused(answer, 429, 'TooManyAttempts')
  expect(answer.body.retryAfterSeconds).toBeGreaterThan(0)
  refused(await guess(passwordOf(name)), 429, 'TooManyAttempts')

  const t = says('en')
  await page.context().clearCookies()
  await page.goto(`${url()}/sign-in`)
  await page.fill('#user', name)
  await page.fill('#password', passwordOf(name))
  await page.click('button[type=submit]')
  await expect(page.getByText(t('signIn.tooMany', { seconds: '' }).split('.')[0]!.split(' ').slice(0, 3).join(' '))).toBeVisible()
  await (await as('admin')).ask('DELETE', `/apis/paifang.dev/v1alpha1/users/${name}`, {})
})

test.describe('texts of others are shown as they are, and none is run', () => {
  test.setTimeout(300_000)
  let evil: Awaited<ReturnType<typeof evilBackend>>

  test.beforeAll(async () => {
    await spread()
    evil = await evilBackend()
    await have(`/apis/discovery.k8s.io/v1/namespaces/${PROJECT}/endpointslices`, { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { name: 'web-static', labels: { 'kubernetes.io/service-name': 'web' } }, addressType: 'IPv4', ports: [{ name: 'http', port: evil.port }], endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }] })
    await have(ROUTES(PROJECT), { ...route('evil'), spec: { rules: [{ host: 'evil.example.com', http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }] } }] } })
  })
  test.afterAll(() => void evil.server.close())

  test('on every page', async ({ page }) => {
    const found = await watchOver(page)
    page.setDefaultTimeout(20_000)
    await speak(page, 'en')
    await (await as('admin')).enter(page)
    const [own] = (await (await as('admin')).ask('GET', `/console/gateways?namespace=${PROJECT}`)).body as unknown as { addresses: string[]; ports: { name: string; reachedAt: number }[] }[]
    await visitGateway(own!.addresses[0]!, own!.ports.find((it) => it.name === 'http')!.reachedAt, 'evil.example.com')
    const at = `/projects/${PROJECT}`
    for (const path of [`/workspaces`, `/workspaces/${WORKSPACE}`, '/users', '/cluster/gateways', '/', at, `${at}/routes`, `${at}/routes/web`, `${at}/routes/web/yaml`, `${at}/services`, `${at}/services/web`, `${at}/secrets`, `${at}/others/httproutes/web`, `${at}/others/virtualservices`, `${at}/others/virtualservices/web`, `${at}/others/httproutes/web?tab=access`, `${at}/others/virtualservices/web?tab=access`, `${at}/gateways`, `${at}/gateways/${PROJECT}/gateway`, `${at}/members`, `${at}/roles`]) {
      await test.step(path, async () => {
        await visit(page, path)
        await eachTab(page, async () => look(page, found))
      })
    }
    expect(found.ran).toEqual([])
    expect(found.violations).toEqual([])
    const all = found.texts.join('\n')
    const fields = ['workspace.alias', 'project.alias', 'user.displayName', 'role.description', 'binding.group', 'service.alias', 'service.annotation', 'secret.alias', 'secret.type', 'ingress.alias', 'ingress.description', 'ingress.annotation', 'ingress.unknown', 'ingress.creator', 'ingress.path', 'event.message', 'event.reason', 'virtualservice.alias', 'httproute.annotation', 'gateway.option', 'gateway.value', 'gateway.creator']
    expect(fields.filter((it) => !all.includes(poison(it)))).toEqual([])
    // As the log has them, and as a certificate can.
    for (const word of ["%3Cimg/src=x/onerror=%22canary('log.path')%22%3E", "<img src=x onerror=canary('certificate')>"]) expect(all.includes(word), word).toBe(true)
  })

  test('in an answer that is tried, and in addresses', async ({ page }) => {
    const found = await watchOver(page)
    page.setDefaultTimeout(20_000)
    const t = says('en')
    await speak(page, 'en')
    await (await as('poisoned')).enter(page)
    await visit(page, `/projects/${PROJECT}/try`)
    await expect(page.getByRole('button', { name: new RegExp(`: ${'<img'}`) })).toBeVisible()
    await page.locator('#url').fill('http://evil.example.com/')
    await page.getByRole('button', { name: new RegExp(`${t('try.send')}$`) }).click()
    await expect(page.getByText(poison('answer.body'))).toBeVisible()
    await drawn(page)
    await look(page, found)
    for (const word of [poison('answer.header'), "<script>canary('answer.script')</script>"]) expect(found.texts.join()).toContain(word)
    const evilWord = encodeURIComponent(poison('address'))
    for (const path of [`/projects/${evilWord}/routes`, `/projects/${PROJECT}/routes/${evilWord}`, `/projects/${PROJECT}/routes/web?tab=${evilWord}`, `/projects/${PROJECT}/others/${evilWord}`, `/workspaces/${evilWord}`, `/projects/${PROJECT}/routes?search=${evilWord}`, `/${evilWord}`]) {
      await page.goto(url() + path)
      await settled(page)
      await look(page, found)
    }
    await page.context().clearCookies()
    for (const path of [`/sign-in?reason=${evilWord}`, `/sign-in?return=javascript:canary('return')&reason=OidcFailed`, `/sign-in?return=${evilWord}`]) {
      await page.goto(url() + path)
      await page.fill('#user', poison('sign-in'))
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
      await look(page, found)
    }
    expect(found.ran).toEqual([])
    expect(found.violations).toEqual([])
  })
})
