// Every page of the application, with something on it to look at.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { BARE, OPEN, WORKSPACE } from './actions'

const at = `/projects/${BARE}`

/** By the path that the router has it under. */
export const VIEWS: Record<string, string[]> = {
  '/': ['/'],
  '/projects/$project': [at],
  '/projects/$project/routes': [`${at}/routes`],
  '/projects/$project/routes/new': [`${at}/routes/new`],
  '/projects/$project/routes/$name': [`${at}/routes/sample`],
  '/projects/$project/routes/$name/yaml': [`${at}/routes/sample/yaml`],
  '/projects/$project/gateways': [`${at}/gateways`, `/projects/${OPEN}/gateways`],
  '/projects/$project/gateways/$namespace/$name': [`/projects/${OPEN}/gateways/${OPEN}/gateway`],
  '/projects/$project/services': [`${at}/services`],
  '/projects/$project/services/$name': [`${at}/services/sample`],
  '/projects/$project/events': [`${at}/events`],
  '/projects/$project/secrets': [`${at}/secrets`],
  '/projects/$project/others/$kind': ['httproutes', 'tlsroutes', 'gateways', 'virtualservices', 'istio-gateways'].map((kind) => `${at}/others/${kind}`),
  '/projects/$project/others/$kind/new': [`${at}/others/httproutes/new`],
  '/projects/$project/others/$kind/$name': [`${at}/others/httproutes/sample`, `${at}/others/virtualservices/sample?tab=access`],
  '/projects/$project/others/$kind/$name/yaml': [`${at}/others/httproutes/sample/yaml`],
  '/projects/$project/try': [`${at}/try`],
  '/projects/$project/members': [`${at}/members`],
  '/projects/$project/roles': [`${at}/roles`],
  '/workspaces': ['/workspaces'],
  '/workspaces/$workspace': [`/workspaces/${WORKSPACE}`],
  '/users': ['/users'],
  '/account': ['/account'],
  '/cluster/gateways': ['/cluster/gateways'],
  '/cluster/gateways/$namespace/$name': ['/cluster/gateways/kubesphere-system/cluster'],
  '/cluster/pools': ['/cluster/pools'],
}

export const ALL = Object.values(VIEWS).flat()

export function pathsOfRouter(): string[] {
  const text = readFileSync(fileURLToPath(new URL('../src/router.tsx', import.meta.url)), 'utf8')
  return [...text.matchAll(/\bpage\('([^']+)'/g)].map(([, path]) => path ?? '')
}
