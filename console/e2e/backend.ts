// What stands behind gateways: backends that say their names, and a collector of spans (OTLP, protobuf over HTTP).
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Manifest } from './kubectl'

export interface Backend {
  address: string
  port: number
  /** What was asked, the newest last. */
  heard: { path: string; headers: IncomingMessage['headers'] }[]
  end: () => void
}

const listening = (server: Server) => new Promise<number>((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))

/** Answers `NAME PATH` to everything; `name` alone where the path is not wished. */
export async function backend(name: string, of: 'name' | 'path' = 'path'): Promise<Backend> {
  const heard: Backend['heard'] = []
  const server = createServer((request, response) => {
    heard.push({ path: request.url ?? '', headers: request.headers })
    heard.splice(0, heard.length - 1000)
    request.resume().on('end', () => response.end(of === 'name' ? name : `${name} ${request.url}`))
  })
  const port = await listening(server)
  return { address: `127.0.0.1:${port}`, port, heard, end: () => (server.closeAllConnections(), server.close()) }
}

/** A Service whose endpoint is a backend of ours. */
export const service = (namespace: string, name: string, { address }: Pick<Backend, 'address'>, port = 80): Manifest => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace, annotations: { 'paifang.dev/endpoints': address } },
  spec: { ports: [{ name: 'http', port }] },
})

export interface Span {
  trace: string
  span: string
  /** Empty: it is where the trace begins. */
  parent: string
  name: string
  /** `service.name` of who tells it. */
  service: string
}

export async function collector() {
  const spans: Span[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      spans.push(...spansOf(Buffer.concat(parts)))
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
    })
  })
  const port = await listening(server)
  return { url: `http://127.0.0.1:${port}/v1/traces`, spans, end: () => (server.closeAllConnections(), server.close()) }
}

// Fields by number, as opentelemetry-proto has them: of the request, its resources, their scopes.
const RESOURCE_SPANS = 1
const [RESOURCE, SCOPE_SPANS] = [1, 2]
const SPANS = 2
const [TRACE_ID, SPAN_ID, PARENT_ID, NAME] = [1, 2, 4, 5]
const [KEY, VALUE] = [1, 2]

function spansOf(message: Buffer): Span[] {
  return all(message, RESOURCE_SPANS).flatMap((told) => {
    const attributes = all(told, RESOURCE).flatMap((it) => all(it, 1))
    const named = attributes.find((it) => one(it, KEY).toString() === 'service.name')
    const service = named ? one(one(named, VALUE), 1).toString() : ''
    const spans = all(told, SCOPE_SPANS).flatMap((it) => all(it, SPANS))
    return spans.map((it) => ({ trace: one(it, TRACE_ID).toString('hex'), span: one(it, SPAN_ID).toString('hex'), parent: one(it, PARENT_ID).toString('hex'), name: one(it, NAME).toString(), service }))
  })
}

const one = (message: Buffer, field: number): Buffer => all(message, field)[0] ?? Buffer.alloc(0)

/** The values of a field that have a length: messages, texts, bytes. */
function all(message: Buffer, wanted: number): Buffer[] {
  const found: Buffer[] = []
  let at = 0
  const number = () => {
    let [value, shift] = [0n, 0n]
    for (;;) {
      const byte = message[at++] ?? 0
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return Number(value)
      shift += 7n
    }
  }
  const skip = { 0: () => void number(), 1: () => void (at += 8), 5: () => void (at += 4) } as Record<number, () => void>
  while (at < message.length) {
    const tag = number()
    if ((tag & 7) !== 2) {
      skip[tag & 7]?.()
      continue
    }
    const length = number()
    if (tag >> 3 === wanted) found.push(message.subarray(at, at + length))
    at += length
  }
  return found
}

/** A project's gateway, by node ports. */
export const gateway = (namespace: string, more: Manifest = {}): Manifest => ({ apiVersion: 'paifang.dev/v1alpha1', kind: 'IngressGateway', metadata: { name: 'gateway', namespace }, spec: { scope: 'Project', access: { type: 'NodePort' }, ...more } })
