// Which pictures there are: whose page it is, where, and what is done there first.
import type { Page } from '@playwright/test'
import { kubectl, paifang } from '../e2e/kubectl'
import type { Person } from '../e2e/people'

export interface How {
  say: (en: string, zh: string) => string
}

export interface Shot {
  name: string
  /** Nobody is signed in where nobody is named. */
  who?: Person
  path: string
  act?: (page: Page, how: How) => Promise<unknown> | undefined
  /** To be looked at, and not kept for the guide. */
  aside?: boolean
  /** There is no such page. */
  lost?: boolean
  /** All of the page, not what fits a screen. */
  tall?: boolean
}

type Say = How['say']

const at = '/projects/demo-project'
// Some names begin with that of an icon.
const named = (name: string) => new RegExp(`(^|\\s)${name.replace('?', '\\?')}$`)
const button = (page: Page, name: string) => page.getByRole('button', { name: named(name) }).first().click()
const item = (page: Page, name: string) => page.getByRole('menuitem', { name: named(name) }).click()
const tab = (en: string, zh: string) => (page: Page, { say }: How) => page.getByRole('tab', { name: say(en, zh), exact: true }).click()
const dialog = (page: Page) => page.getByRole('dialog')
const manage = async (page: Page, say: Say, en: string, zh: string) => {
  await button(page, say('Manage', '管理'))
  await item(page, say(en, zh))
}
const row = async (page: Page, say: Say, of: string, en: string, zh: string) => {
  await page.getByRole('button', { name: `${say('More actions', '更多操作')}: ${of}` }).click()
  await item(page, say(en, zh))
}
const menu = (page: Page, { say }: How) => button(page, say('Menu', '菜单'))

const NOBODY: Shot[] = [
  { name: 'sign-in', path: '/sign-in' },
  { name: 'sign-in-wrong', aside: true, path: '/sign-in', act: async (page, { say }) => {
    await page.fill('#user', 'somebody')
    await page.fill('#password', 'not this one')
    await button(page, say('Sign in', '登录'))
    await page.waitForTimeout(1_200)
  } },
  // A password that is for once asks for another.
  { name: 'sign-in-new', path: '/sign-in', act: async (page, { say }) => {
    const newcomer = await oneTime()
    await page.fill('#user', newcomer.name)
    await page.fill('#password', newcomer.password)
    await button(page, say('Sign in', '登录'))
    await page.waitForSelector('#again')
  } },
  { name: 'sign-in-ended', aside: true, path: '/sign-in?reason=ended' },
  { name: 'sign-in-failed', aside: true, path: '/sign-in?reason=OidcFailed' },
]

const GATEWAY = `${at}/gateways/demo-project/gateway`
const ADMIN: Shot[] = [
  { name: 'overview', path: at, tall: true },
  { name: 'gateways', path: `${at}/gateways` },
  { name: 'gateway-manage', aside: true, path: `${at}/gateways`, act: (page, { say }) => button(page, say('Manage', '管理')) },
  { name: 'gateway-edit', path: `${at}/gateways`, act: (page, { say }) => manage(page, say, 'Edit', '编辑') },
  { name: 'gateway-scale', aside: true, path: `${at}/gateways`, act: (page, { say }) => manage(page, say, 'Scale', '调整副本数') },
  { name: 'gateway-disable', aside: true, path: `${at}/gateways`, act: (page, { say }) => manage(page, say, 'Disable', '关闭网关') },
  { name: 'gateway', path: GATEWAY, tall: true },
  { name: 'gateway-options', path: GATEWAY, act: tab('Configuration options', '配置选项') },
  { name: 'gateway-logs', path: GATEWAY, act: tab('Gateway logs', '网关日志') },
  { name: 'gateway-status', path: GATEWAY, act: tab('Resource status', '资源状态'), tall: true },
  { name: 'gateway-metadata', aside: true, path: GATEWAY, act: tab('Metadata', '元数据') },
  { name: 'gateway-events', path: GATEWAY, act: tab('Events', '事件') },
  { name: 'members', path: `${at}/members` },
  { name: 'members-role', path: `${at}/members`, act: (page, { say }) => row(page, say, 'project-regular', 'Change role', '更改角色') },
  { name: 'roles', path: `${at}/roles` },
  { name: 'role-create', path: `${at}/roles`, act: (page, { say }) => button(page, say('Create role', '创建角色')) },
  { name: 'account', path: '/account' },
  { name: 'menu', aside: true, path: `${at}/gateways`, act: async (page, how) => ((page.viewportSize()?.width ?? 0) < 600 ? menu(page, how) : undefined) },
  { name: 'kubectl', path: `${at}/gateways`, act: (page) => page.getByRole('button', { name: /^kubectl/ }).first().click() },
]

const REGULAR: Shot[] = [
  { name: 'projects', path: '/' },
  { name: 'operator-gateways', aside: true, path: `${at}/gateways` },
  { name: 'operator-why', path: `${at}/members`, act: (page, { say }) => button(page, say('Why can I not change this?', '为什么我无法修改？')) },
  { name: 'operator-roles', aside: true, path: `${at}/roles` },
  { name: 'forbidden', path: '/users' },
  { name: 'lost', aside: true, path: '/nowhere', lost: true },
  { name: 'routes', path: `${at}/routes` },
  { name: 'route', path: `${at}/routes/demo`, tall: true },
  { name: 'route-access', path: `${at}/routes/demo`, act: tab('Access', '访问'), tall: true },
  { name: 'route-check', path: `${at}/routes/demo`, tall: true, act: async (page, { say }) => {
    await tab('Access', '访问')(page, { say })
    await button(page, say('Check', '检查'))
    await page.waitForTimeout(2_500)
  } },
  { name: 'route-metadata', aside: true, path: `${at}/routes/demo`, act: tab('Metadata', '元数据') },
  { name: 'route-events', aside: true, path: `${at}/routes/demo`, act: tab('Events', '事件') },
  { name: 'route-yaml', path: `${at}/routes/demo/yaml` },
  { name: 'route-rules', aside: true, path: `${at}/routes/demo`, act: (page, { say }) => manage(page, say, 'Edit routing rules', '编辑路由规则') },
  { name: 'route-delete', aside: true, path: `${at}/routes/demo`, act: (page, { say }) => manage(page, say, 'Delete', '删除') },
  { name: 'wizard', path: `${at}/routes/new` },
  { name: 'wizard-rules', path: `${at}/routes/new`, tall: true, act: async (page, { say }) => {
    await page.getByRole('textbox').first().fill('shop')
    await button(page, say('Next', '下一步'))
    await page.getByRole('combobox', { name: say('Service', '服务') }).first().click()
    await page.locator('.ant-select-item-option').filter({ hasText: 'httpbin' }).first().click()
    await page.waitForTimeout(900)
  } },
  { name: 'wizard-advanced', path: `${at}/routes/new`, tall: true, act: async (page, { say }) => {
    await page.getByRole('textbox').first().fill('shop')
    await button(page, say('Next', '下一步'))
    await page.getByRole('combobox', { name: say('Service', '服务') }).first().click()
    await page.locator('.ant-select-item-option').filter({ hasText: 'httpbin' }).first().click()
    await page.waitForTimeout(900)
    await button(page, say('Next', '下一步'))
    await button(page, say('Add annotation', '添加注解'))
    await page.getByLabel(say('Key 1', '键 1')).first().fill('nginx.ingress.kubernetes.io/rewrite')
  } },
  { name: 'services', path: `${at}/services` },
  { name: 'service', path: `${at}/services/httpbin`, tall: true },
  { name: 'events', path: `${at}/events` },
  { name: 'secrets', path: `${at}/secrets` },
  { name: 'secret-add', path: `${at}/secrets`, act: (page, { say }) => button(page, say('Add certificate', '添加证书')) },
  { name: 'others', path: `${at}/others/httproutes` },
  { name: 'other', path: `${at}/others/httproutes/shop` },
  { name: 'try', path: `${at}/try`, tall: true, act: async (page, { say }) => {
    await button(page, say('Send', '发送'))
    await page.waitForTimeout(2_000)
  } },
]

const PLATFORM: Shot[] = [
  { name: 'platform', path: '/', tall: true },
  { name: 'workspaces', path: '/workspaces' },
  { name: 'workspace-create', aside: true, path: '/workspaces', act: (page, { say }) => button(page, say('Create workspace', '创建企业空间')) },
  { name: 'workspace', path: '/workspaces/demo-workspace' },
  { name: 'workspace-members', aside: true, path: '/workspaces/demo-workspace', act: tab('Members', '成员') },
  { name: 'workspace-roles', aside: true, path: '/workspaces/demo-workspace', act: tab('Roles', '角色') },
  { name: 'invite', path: `${at}/members`, act: async (page, { say }) => {
    await button(page, say('Invite member', '邀请成员'))
    await dialog(page).getByRole('combobox', { name: say('Role', '角色') }).click()
  } },
  { name: 'users', path: '/users', act: async (page) => {
    await gone()
    await page.waitForTimeout(1_000)
  } },
  { name: 'user-create', path: '/users', act: (page, { say }) => button(page, say('Create user', '创建用户')) },
  { name: 'user-suspend', aside: true, path: '/users', act: (page, { say }) => row(page, say, 'project-regular', 'Suspend', '停用') },
  { name: 'cluster', path: '/cluster/gateways' },
  { name: 'cluster-gateway', path: '/cluster/gateways/kubesphere-system/cluster', tall: true },
  { name: 'pools', path: '/cluster/pools' },
]

const BEFORE: Shot[] = [
  { name: 'gateway-enable', path: '/projects/empty-project/gateways', act: (page, { say }) => button(page, say('Enable gateway', '开启网关')) },
  { name: 'gateway-enable-balancer', path: '/projects/empty-project/gateways', act: async (page, { say }) => {
    await button(page, say('Enable gateway', '开启网关'))
    await dialog(page).getByRole('radio', { name: /LoadBalancer/ }).check()
    await dialog(page).locator('#provider').click()
    await page.locator('.ant-select-item-option').filter({ hasText: 'OpenELB' }).first().click()
  } },
  { name: 'empty-gateways', path: '/projects/empty-project/gateways' },
  { name: 'empty-overview', aside: true, path: '/projects/empty-project' },
  { name: 'empty-routes', path: '/projects/empty-project/routes' },
  { name: 'empty-services', aside: true, path: '/projects/empty-project/services' },
  { name: 'empty-secrets', aside: true, path: '/projects/empty-project/secrets' },
  { name: 'empty-others', aside: true, path: '/projects/empty-project/others/httproutes' },
  { name: 'empty-try', aside: true, path: '/projects/empty-project/try' },
]

const newcomers: string[] = []

/** Somebody new, with a password that is good for one time. */
async function oneTime() {
  const name = `newcomer-${process.pid}-${newcomers.length + 1}`
  newcomers.push(name)
  const said = await paifang('user', 'create', name)
  const password = /password\W+(\S+)/i.exec(said)?.[1] ?? ''
  return { name, password }
}

/** They were for a picture of their own. */
const gone = async () => Promise.all(newcomers.splice(0).map((it) => kubectl('admin', ['delete', 'user', it])))

const of = (who: Person | undefined, list: Shot[]): Shot[] => list.map((it) => ({ ...it, who }))
export const SHOTS = [...of(undefined, NOBODY), ...of('project-admin', ADMIN), ...of('project-regular', REGULAR), ...of('admin', [...PLATFORM, ...BEFORE])]
