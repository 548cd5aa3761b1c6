// Which page is where. Pages are loaded when they are visited.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from '@tanstack/react-router'
import { readSession } from './api/session'
import { Loading } from './parts/basics'
import { Frame } from './shell/frame'
import { Broken, Lost } from './shell/lost'

const root = createRootRoute({ component: Outlet, notFoundComponent: Lost, errorComponent: Broken })

const signIn = createRoute({ getParentRoute: () => root, path: '/sign-in', component: lazyRouteComponent(() => import('./pages/sign-in'), 'SignIn') })

const inside = createRoute({
  getParentRoute: () => root,
  id: 'inside',
  component: Frame,
  beforeLoad: async ({ location }) => {
    if (!(await readSession())) throw redirect({ to: '/sign-in', search: { return: location.pathname } })
  },
})

const page = (path: string, component: ReturnType<typeof lazyRouteComponent>) => createRoute({ getParentRoute: () => inside, path, component })

const pages = [
  page('/', lazyRouteComponent(() => import('./pages/overview'), 'Overview')),
  page('/projects/$project', lazyRouteComponent(() => import('./pages/overview'), 'Overview')),
  page('/projects/$project/routes', lazyRouteComponent(() => import('./pages/routes/list'), 'RouteList')),
  page('/projects/$project/routes/new', lazyRouteComponent(() => import('./pages/routes/wizard'), 'RouteWizard')),
  page('/projects/$project/routes/$name', lazyRouteComponent(() => import('./pages/routes/detail'), 'RouteDetail')),
  page('/projects/$project/routes/$name/yaml', lazyRouteComponent(() => import('./pages/yaml'), 'RouteYaml')),
  page('/projects/$project/gateways', lazyRouteComponent(() => import('./pages/gateways/settings'), 'GatewaySettings')),
  page('/projects/$project/gateways/$namespace/$name', lazyRouteComponent(() => import('./pages/gateways/detail'), 'GatewayDetail')),
  page('/projects/$project/services', lazyRouteComponent(() => import('./pages/services/list'), 'ServiceList')),
  page('/projects/$project/services/$name', lazyRouteComponent(() => import('./pages/services/detail'), 'ServiceDetail')),
  page('/projects/$project/secrets', lazyRouteComponent(() => import('./pages/secrets'), 'Secrets')),
  page('/projects/$project/events', lazyRouteComponent(() => import('./pages/events'), 'Events')),
  page('/projects/$project/others/$kind', lazyRouteComponent(() => import('./pages/others/list'), 'OtherList')),
  page('/projects/$project/others/$kind/new', lazyRouteComponent(() => import('./pages/others/new'), 'OtherNew')),
  page('/projects/$project/others/$kind/$name', lazyRouteComponent(() => import('./pages/others/detail'), 'OtherDetail')),
  page('/projects/$project/others/$kind/$name/yaml', lazyRouteComponent(() => import('./pages/yaml'), 'OtherYaml')),
  page('/projects/$project/try', lazyRouteComponent(() => import('./pages/try'), 'Try')),
  page('/projects/$project/members', lazyRouteComponent(() => import('./pages/people/members'), 'ProjectMembers')),
  page('/projects/$project/roles', lazyRouteComponent(() => import('./pages/people/roles'), 'ProjectRoles')),
  page('/workspaces', lazyRouteComponent(() => import('./pages/people/workspaces'), 'Workspaces')),
  page('/workspaces/$workspace', lazyRouteComponent(() => import('./pages/people/workspace'), 'WorkspacePage')),
  page('/users', lazyRouteComponent(() => import('./pages/people/users'), 'Users')),
  page('/account', lazyRouteComponent(() => import('./pages/people/account'), 'Account')),
  page('/cluster/gateways', lazyRouteComponent(() => import('./pages/gateways/cluster'), 'ClusterGateways')),
  page('/cluster/gateways/$namespace/$name', lazyRouteComponent(() => import('./pages/gateways/detail'), 'GatewayDetail')),
  page('/cluster/pools', lazyRouteComponent(() => import('./pages/pools'), 'Pools')),
]

export const router = createRouter({
  routeTree: root.addChildren([signIn, inside.addChildren(pages)]),
  defaultPendingComponent: Loading,
  defaultPendingMs: 150,
  defaultPreload: 'intent',
})
