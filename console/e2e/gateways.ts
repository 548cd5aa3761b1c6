// Asking gateways, as clients outside do: by curl, and in a stream that counts what fails.
import { execFile } from 'node:child_process'
import { Agent, request } from 'node:http'
import { expect } from '@playwright/test'
import { kubectl, read } from './kubectl'

export interface Answer {
  /** 0: none came. */
  status: number
  body: string
  /** What curl says of a failure. */
  said: string
}

/** curl with these words; an answer of any status is one. */
export function curl(...words: string[]): Promise<Answer> {
  return new Promise((resolve) => {
    execFile('curl', ['--silent', '--show-error', '--max-time', '20', '--noproxy', '*', '--write-out', '\n%{http_code}', ...words], { maxBuffer: 16 << 20 }, (_, out, err) => {
      const end = out.lastIndexOf('\n')
      resolve({ status: Number(out.slice(end + 1)), body: out.slice(0, Math.max(end, 0)), said: err })
    })
  })
}

export interface Reached {
  addresses: string[]
  http: number
  https: number
}

interface Status {
  status?: { addresses?: { value: string }[]; ports?: { name: string; reachedAt: number }[]; conditions?: { type: string; status: string }[] }
}

/** Where a project's gateway is reached, once it serves. */
export async function reached(project: string, name = 'gateway'): Promise<Reached> {
  await kubectl('admin', ['wait', '-n', project, '--for=condition=Programmed', `igw/${name}`, '--timeout=60s'])
  const { status } = await read<Status>('project-admin', 'igw', name, '-n', project)
  const port = (wanted: string) => status?.ports?.find((it) => it.name === wanted)?.reachedAt ?? 0
  return { addresses: (status?.addresses ?? []).map((it) => it.value), http: port('http'), https: port('https') }
}

/** The one that everybody shares. */
export async function everybodys(): Promise<Reached> {
  const { status, spec } = await read<any>('admin', 'service', 'kubesphere-router-kubesphere-system', '-n', 'kubesphere-controls-system')
  const addresses = (status.loadBalancer?.ingress ?? []).map((it: { ip: string }) => it.ip)
  const offset = Number(process.env.PAIFANG_PORT_OFFSET ?? 0)
  const port = (number: number) => (addresses.length > 0 ? number + offset : spec.ports.find((it: { port: number }) => it.port === number).nodePort)
  return { addresses: addresses.length > 0 ? addresses : [process.env.PAIFANG_NODE ?? ''], http: port(80), https: port(443) }
}

/** Asks a gateway for a host that no DNS knows. */
export const ask = ({ addresses, http }: Reached, host: string, path = '/', ...words: string[]) => curl('--resolve', `${host}:${http}:${addresses[0]}`, ...words, `http://${host}:${http}${path}`)

export const askSecurely = ({ addresses, https }: Reached, host: string, path = '/', ...words: string[]) => curl('--resolve', `${host}:${https}:${addresses[0]}`, ...words, `https://${host}:${https}${path}`)

/** Asks again until the answer is as wished. */
export async function untilAnswers(what: () => Promise<Answer>, wished: Partial<Answer>) {
  await expect.poll(what, { intervals: [100, 200, 400] }).toMatchObject(wished)
}

interface Said {
  status: number
  body: string
}

function say(agent: Agent, { addresses, http }: Reached, host: string, path: string, headers: Record<string, string> = {}): Promise<Said> {
  return new Promise((resolve) => {
    request({ agent, host: addresses[0], port: http, path, headers: { ...headers, host } }, (answer) => {
      let body = ''
      answer.setEncoding('utf8').on('data', (part: string) => (body += part))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }))
      answer.on('error', (error) => resolve({ status: 0, body: String(error) }))
    })
      .on('error', (error) => resolve({ status: 0, body: String(error) }))
      .end()
  })
}

const PER_SECOND = 200
const EVERY = 20

/** A stream of requests from now on; `end` says how many there were and which failed. */
export function stream(to: Reached, host: string, path: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  const failed: Said[] = []
  let asked = 0
  const under = new Set<Promise<void>>()
  const timer = setInterval(() => {
    for (let each = 0; each < (PER_SECOND * EVERY) / 1000; each += 1) {
      asked += 1
      const one = say(agent, to, host, path).then((it) => void (it.status === 200 || failed.push(it)))
      under.add(one)
      void one.then(() => under.delete(one))
    }
  }, EVERY)
  return {
    end: async () => {
      clearInterval(timer)
      await Promise.all(under)
      agent.destroy()
      return { asked, failed }
    },
  }
}

/** The bodies of so many answers, and how often each came. */
export async function shares(to: Reached, host: string, path: string, count: number, headers: Record<string, string> = {}): Promise<Map<string, number>> {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  const found = new Map<string, number>()
  let left = count
  const worker = async () => {
    while (left > 0) {
      left -= 1
      const { body } = await say(agent, to, host, path, headers)
      found.set(body, (found.get(body) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: 16 }, worker))
  agent.destroy()
  return found
}
