// What the pictures are of: a demo that people use. Routes with traffic, one of them broken, certificates, one of which ends soon, a gateway of the
// project's own, and people.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { reached, type Reached } from '../e2e/gateways'
import { apply, paifang, type Manifest } from '../e2e/kubectl'
import { FOLDER, keep } from './keep'

const NAMESPACE = 'demo-project'
const PEOPLE: [string, string, string][] = [
  ['ann', 'Ann Lee', 'operator'],
  ['wang-wei', '王伟', 'viewer'],
]

export default async function scene() {
  if (process.env.PAIFANG_SCENE === 'none') return undefined
  await people()
  await apply('project-admin', { apiVersion: 'paifang.dev/v1alpha1', kind: 'IngressGateway', metadata: { name: 'gateway', namespace: NAMESPACE, annotations: { 'kubesphere.io/creator': 'project-admin' } }, spec: { scope: 'Project', access: { type: 'LoadBalancer' }, replicas: 1, config: { 'proxy-body-size': '20m', 'use-gzip': 'true' } } })
  await apply('admin', [...routes(), ...others(), secret('orders-tls', 'orders.shop.example', 9)])
  const to = await reached(NAMESPACE)
  const traffic = stream(to)
  // The charts have something to show.
  await new Promise((resolve) => setTimeout(resolve, Number(process.env.PAIFANG_SCENE_SECONDS ?? 150) * 1000))
  return () => {
    traffic.end()
    if (process.env.PAIFANG_KEEP) keep(FOLDER, process.env.PAIFANG_KEEP)
  }
}

async function people() {
  await paifang('project', 'create', 'empty-project', '--workspace', 'demo-workspace')
  for (const [name, shown, role] of PEOPLE) {
    await paifang('user', 'create', name, '--display-name', shown)
    await paifang('invite', name, '--project', NAMESPACE, '--role', role)
  }
}

const meta = (name: string, annotations: Record<string, string> = {}) => ({ name, namespace: NAMESPACE, annotations })
const path = (at: string, service: string, port: object) => ({ path: at, pathType: 'Prefix', backend: { service: { name: service, port } } })

function ingress(name: string, host: string, paths: object[], { annotations = {}, secretName = '', className = '' } = {}): Manifest {
  const spec = { ...(className && { ingressClassName: className }), ...(secretName && { tls: [{ hosts: [host], secretName }] }), rules: [{ host, http: { paths } }] }
  return { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: meta(name, annotations), spec }
}

const routes = (): Manifest[] => [
  ingress('orders', 'orders.shop.example', [path('/', 'httpbin', { name: 'http' }), path('/api', 'hello-v1', { number: 80 })], { secretName: 'orders-tls', annotations: { 'kubesphere.io/alias-name': '订单', 'nginx.ingress.kubernetes.io/limit-rps': '50' } }),
  // Nobody has made this Service.
  ingress('payments', 'pay.shop.example', [path('/', 'payments', { number: 8080 })]),
  { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name: 'apisix' }, spec: { controller: 'apisix.apache.org/apisix-ingress' } },
  ingress('legacy', 'legacy.shop.example', [path('/', 'echo', { number: 80 })], { className: 'apisix' }),
]

const others = (): Manifest[] => [
  { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', metadata: meta('edge'), spec: { gatewayClassName: 'paifang', listeners: [{ name: 'http', protocol: 'HTTP', port: 80 }] } },
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: meta('shop'),
    spec: {
      parentRefs: [{ name: 'edge' }],
      hostnames: ['shop.example'],
      rules: [{ matches: [{ path: { type: 'PathPrefix', value: '/' } }], backendRefs: [{ name: 'hello-v1', port: 80, weight: 80 }, { name: 'hello-v2', port: 80, weight: 20 }] }],
    },
  },
]

function secret(name: string, host: string, days: number): Manifest {
  const folder = mkdtempSync(join(tmpdir(), 'paifang-certificate-'))
  const [certificate, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', String(days), '-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`, '-keyout', key, '-out', certificate], { stdio: 'ignore' })
  const data = { 'tls.crt': readFileSync(certificate, 'utf8'), 'tls.key': readFileSync(key, 'utf8') }
  rmSync(folder, { recursive: true })
  return { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata: { name, namespace: NAMESPACE }, stringData: data }
}

/** Most of what is asked for is there; some is slow, some is not, and some breaks. */
const ASKED: [string, string, number][] = [
  ['demo.kubesphere.io', '/get', 20],
  ['demo.kubesphere.io', '/bytes/4096', 8],
  ['hello.kubesphere.io', '/', 24],
  ['demo.kubesphere.io', '/delay/0.04', 4],
  ['demo.kubesphere.io', '/status/404', 1],
  ['demo.kubesphere.io', '/status/503', 1],
]

function stream({ addresses, http }: Reached) {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const all = ASKED.flatMap(([host, at, weight]) => Array.from({ length: weight }, () => [host, at] as const))
  const ask = () => {
    const [host, at] = all[Math.floor(Math.random() * all.length)] ?? ['', '/']
    const asked = request({ agent, host: addresses[0], port: http, path: at, headers: { host } }, (answer) => answer.resume().on('error', () => undefined))
    asked.on('error', () => undefined).end()
  }
  // Busier and quieter, as days are.
  const timer = setInterval(() => {
    const wave = 1.5 + Math.sin(Date.now() / 20_000)
    for (let each = 0; each < wave * 2; each += 1) ask()
  }, 100)
  return {
    end: () => {
      clearInterval(timer)
      agent.destroy()
    },
  }
}
