// kubectl and the command line, as each of the demo's people: with a kubeconfig of their own.
import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import type { Person } from './people'

interface Ended {
  code: number
  out: string
  err: string
}

export type Manifest = Record<string, unknown>

const administrator = () => process.env.PAIFANG_KUBECONFIG ?? ''
const binary = () => process.env.PAIFANG_BIN ?? 'paifang'
const written = new Map<Person, Promise<string>>()

function ran(program: string, words: string[], kubeconfig: string, input = ''): Promise<Ended> {
  return new Promise((resolve) => {
    const home = dirname(administrator())
    const child = execFile(program, words, { env: { ...process.env, KUBECONFIG: kubeconfig, HOME: home }, maxBuffer: 64 << 20 }, (error, out, err) => resolve({ code: error ? Number(error.code ?? 1) : 0, out, err }))
    // Who does not read it says why by how they end.
    child.stdin?.on('error', () => undefined).end(input)
  })
}

async function good(program: string, words: string[], kubeconfig: string, input?: string): Promise<string> {
  const { code, out, err } = await ran(program, words, kubeconfig, input)
  if (code !== 0) throw new Error(`${program} ${words.join(' ')}: ${err || out}`)
  return out
}

/** The command line as the administrator. */
export const paifang = (...words: string[]) => good(binary(), words, administrator())

async function kubeconfigOf(person: Person): Promise<string> {
  if (person === 'admin') return administrator()
  const file = join(dirname(administrator()), `${person}-${process.pid}.kubeconfig`)
  if (!written.has(person)) written.set(person, paifang('user', 'kubeconfig', person, '--file', file).then(() => file))
  return (await written.get(person)) as string
}

const text = (input: Manifest | Manifest[] | string | undefined) => (Array.isArray(input) ? JSON.stringify({ apiVersion: 'v1', kind: 'List', items: input }) : typeof input === 'object' ? JSON.stringify(input) : input)

export async function kubectl(person: Person, words: string[], input?: Manifest | Manifest[] | string): Promise<string> {
  return good('kubectl', words, await kubeconfigOf(person), text(input))
}

/** What kubectl says where it does not come to an end as wished, and its exit code. */
export async function attempt(person: Person, words: string[], input?: Manifest | Manifest[] | string): Promise<Ended> {
  return ran('kubectl', words, await kubeconfigOf(person), text(input))
}

export const apply = (person: Person, input: Manifest | Manifest[] | string) => kubectl(person, ['apply', '-f', '-'], input)

/** An object as the API has it. */
export async function read<T = Record<string, any>>(person: Person, ...words: string[]): Promise<T> {
  return JSON.parse(await kubectl(person, ['get', ...words, '-o', 'json'])) as T
}

/** A project of the demo's workspace with the demo's people in it: its admin and its operator. Who starts anew after a failure finds it there. */
export async function project(name: string): Promise<string> {
  const there = (await attempt('admin', ['get', 'project', name, '-n', 'workspace-demo-workspace'])).code === 0
  if (!there) await paifang('project', 'create', name, '--workspace', 'demo-workspace', '--admin', 'project-admin')
  await paifang('invite', 'project-regular', '--project', name, '--role', 'operator')
  return name
}
