// People of every role and places of theirs, made by the platform's admin; and a caller who asks the server directly, beside the pages, as any
// client with a cookie could.
import { request as plainly } from 'node:https'
import { expect, request, type APIRequestContext, type Page } from '@playwright/test'
import { PASSWORDS, url } from './people'

export interface Answer {
  status: number
  headers: Record<string, string>
  text: string
  /** Of JSON; else empty. */
  body: Loose
}

export interface Loose {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  [key: string]: any
}

export const passwordOf = (user: string) => (PASSWORDS as Record<string, string>)[user] ?? `Passw0rd-${user}-1`

const parsed = (text: string): Loose => {
  try {
    return JSON.parse(text) as Loose
  } catch {
    return {}
  }
}

/** Somebody who is signed in, without a browser. */
export class Caller {
  constructor(
    readonly user: string,
    readonly context: APIRequestContext,
    readonly csrf: string,
  ) {}

  async ask(method: string, path: string, body?: unknown, type = 'application/json', headers: Record<string, string> = {}): Promise<Answer> {
    const written: Record<string, string> = method === 'GET' ? {} : { 'X-CSRF-Token': this.csrf, 'Content-Type': type }
    const data = body === undefined ? {} : { data: typeof body === 'string' ? body : JSON.stringify(body) }
    const answer = await this.context.fetch(path, { method, headers: { ...written, ...headers }, ...data, failOnStatusCode: false, maxRedirects: 0, timeout: 60_000 })
    const text = await answer.text()
    return { status: answer.status(), headers: answer.headers(), text, body: parsed(text) }
  }

  /** `name=value`, as a browser would send it. */
  async cookie(): Promise<string> {
    const { cookies } = await this.context.storageState()
    return cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
  }

  /** Lets a page go on as who is signed in here. */
  async enter(page: Page) {
    const { cookies } = await this.context.storageState()
    await page.context().clearCookies()
    await page.context().addCookies(cookies.map(({ name, value, httpOnly, secure, sameSite }) => ({ name, value, httpOnly, secure, sameSite, url: url() })))
  }
}

export async function signedIn(user: string, password = passwordOf(user)): Promise<Caller> {
  const context = await request.newContext({ baseURL: url(), ignoreHTTPSErrors: true })
  const answer = await context.post('/console/login', { data: { username: user, password } })
  expect(answer.status(), `${user} signs in`).toBe(200)
  return new Caller(user, context, ((await answer.json()) as { csrf: string }).csrf)
}

const known = new Map<string, Promise<Caller>>()

/** The same for all tests of a file. */
export function as(user: string): Promise<Caller> {
  const caller = known.get(user) ?? signedIn(user)
  known.set(user, caller)
  return caller
}

const API = '/apis/paifang.dev/v1alpha1'
const RBAC = '/apis/rbac.authorization.k8s.io/v1'
const made = (answer: Answer) => expect([200, 201, 409], answer.text).toContain(answer.status)

export async function haveUser(name: string, displayName = '') {
  const admin = await as('admin')
  made(await admin.ask('POST', `${API}/users`, { apiVersion: 'paifang.dev/v1alpha1', kind: 'User', metadata: { name }, spec: displayName ? { displayName } : {} }))
  const given = await admin.ask('POST', `${API}/users/${name}/password`, { newPassword: passwordOf(name), mustChange: false })
  expect(given.status, given.text).toBeLessThan(300)
  known.delete(name)
}

const untilReady = (path: string) =>
  expect.poll(async () => ((await (await as('admin')).ask('GET', path)).body.status?.conditions ?? []).some((it: Loose) => it.type === 'Ready' && it.status === 'True'), { timeout: 60_000 }).toBe(true)

export async function haveWorkspace(name: string, admins: string[] = []) {
  made(await (await as('admin')).ask('POST', `${API}/workspaces`, { apiVersion: 'paifang.dev/v1alpha1', kind: 'Workspace', metadata: { name }, spec: { admins } }))
  await untilReady(`${API}/workspaces/${name}`)
}

export async function haveProject(workspace: string, name: string, admins: string[] = []) {
  const path = `${API}/namespaces/workspace-${workspace}/projects`
  made(await (await as('admin')).ask('POST', path, { apiVersion: 'paifang.dev/v1alpha1', kind: 'Project', metadata: { name }, spec: { admins } }))
  await untilReady(`${path}/${name}`)
}

/** As `paifang invite` does; of the platform where no namespace is named. */
export async function invite(user: string, role: string, namespace = '') {
  const kind = namespace ? 'RoleBinding' : 'ClusterRoleBinding'
  const path = namespace ? `${RBAC}/namespaces/${namespace}/rolebindings` : `${RBAC}/clusterrolebindings`
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: namespace ? 'Role' : 'ClusterRole', name: role }
  made(await (await as('admin')).ask('POST', path, { apiVersion: 'rbac.authorization.k8s.io/v1', kind, metadata: { name: `${user}:${role}` }, roleRef, subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }] }))
}

/** Makes an object as the admin, in the place of one that is there. */
export async function have(path: string, object: Loose) {
  const admin = await as('admin')
  const first = await admin.ask('POST', path, object)
  if (first.status !== 409) return made(first)
  const at = `${path}/${object.metadata.name}`
  const { metadata } = (await admin.ask('GET', at)).body
  const again = await admin.ask('PUT', at, { ...object, metadata: { ...object.metadata, resourceVersion: metadata.resourceVersion } })
  expect(again.status, again.text).toBe(200)
}

/** Until the page has asked for nothing more for a moment; watches go on. */
export async function settled(page: Page) {
  const open = underWay(page)
  let quietSince = Date.now()
  await expect
    .poll(() => {
      if (open.size > 0) quietSince = Date.now()
      return Date.now() - quietSince
    }, { intervals: [50], timeout: 30_000 })
    .toBeGreaterThan(300)
}

/** Goes to a page as a link would: nothing is loaded anew but what the page needs. */
export async function visit(page: Page, path: string) {
  underWay(page)
  if (page.url().startsWith(url()) && !page.url().includes('/sign-in')) await page.evaluate((to) => history.pushState({}, '', to), path)
  else await page.goto(url() + path)
  await expect(page.locator('main#main')).toBeVisible()
  await drawn(page)
}

interface Routed {
  __TSR_ROUTER__?: { state: { status: string; location: { href: string }; resolvedLocation?: { href: string } } }
}

/** Until the page of the address is there, with all that it has asked for. */
export async function drawn(page: Page) {
  await page.waitForFunction(() => {
    const state = (window as Routed).__TSR_ROUTER__?.state
    const there = state?.status === 'idle' && state.resolvedLocation?.href === state.location.href
    const main = document.querySelector('main')
    return there && main !== null && main.querySelector('.spin, .ant-spin-spinning') === null && main.querySelector('h1, .note, .nothing') !== null
  })
  await settled(page)
  await page.waitForFunction(() => document.querySelector('main .spin') === null)
}

const opened = new WeakMap<Page, Set<unknown>>()

/** To be called before the first page is gone to. */
export function underWay(page: Page): Set<unknown> {
  const before = opened.get(page)
  if (before) return before
  const open = new Set<unknown>()
  opened.set(page, open)
  page.on('request', (it) => void (/watch=1|follow=1/.test(it.url()) || open.add(it)))
  page.on('requestfinished', (it) => void open.delete(it))
  page.on('requestfailed', (it) => void open.delete(it))
  return open
}

/** A request as it is written here: no client on the way tidies its path or its headers. */
export function raw(path: string, { method = 'GET', headers = {}, body = '' }: { method?: string; headers?: Record<string, string | string[]>; body?: string } = {}): Promise<Answer> {
  const { hostname, port } = new URL(url())
  return new Promise((resolve, reject) => {
    const sent = plainly({ hostname, port, path, method, headers, rejectUnauthorized: false }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (piece: string) => (text += piece))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)])), text, body: parsed(text) }))
    })
    sent.on('error', reject).end(body)
  })
}
