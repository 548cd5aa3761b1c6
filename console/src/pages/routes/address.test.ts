import { describe, expect, it } from 'vitest'
import type { Serving } from '../../api/console'
import type { Ingress } from '../../api/types'
import { isReached, lines, reaches } from './address'

const route: Ingress = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { rules: [{ host: 'web.example', http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }] } }] },
}
const gateway = (of: Partial<Serving>): Serving => ({ namespace: 'edge', name: 'all', scope: 'Cluster', type: 'LoadBalancer', addresses: [], nodes: ['10.0.0.1'], ports: [], ...of })
const shown = (of: Partial<Serving>, fallback: string) => {
  const [reach] = reaches(route, gateway(of))
  if (!reach) throw new Error('there is a rule')
  return { url: reach.url, ...lines(reach, gateway(of), fallback), isReached: isReached({ reach, gateway: gateway(of), fallback }) }
}

describe('a route on a load balancer', () => {
  it('is reached at its address', () => {
    const ports = [{ name: 'http', port: 80, nodePort: 30_080, reachedAt: 80 }]
    expect(shown({ addresses: ['10.0.0.9'], ports }, '10.0.0.9')).toEqual({
      url: 'http://web.example/',
      hosts: '10.0.0.9 web.example',
      curl: 'curl --resolve web.example:80:10.0.0.9 http://web.example/',
      isReached: true,
    })
  })
  it('is reached by node ports as long as there is none', () => {
    const ports = [{ name: 'http', port: 80, nodePort: 30_080, reachedAt: 30_080 }]
    expect(shown({ ports }, '10.0.0.1')).toEqual({
      url: 'http://web.example:30080/',
      hosts: '10.0.0.1 web.example',
      curl: 'curl --resolve web.example:30080:10.0.0.1 http://web.example:30080/',
      isReached: true,
    })
    expect(shown({ ports }, '').isReached).toBe(true)
  })
  it('is reached nowhere where those do not answer either', () => expect(shown({}, '').isReached).toBe(false))
})
