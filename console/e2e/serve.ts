// A `paifang up --demo` of its own for the tests, in a folder of its own, with passwords that the tests know.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PASSWORDS } from './people'

const PATIENCE = 60_000

/** Ports that nobody has: all taken at once, so that they differ, then given back. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => new Promise<import('node:net').Server>((resolve, reject) => {
      const server = createServer().once('error', reject).listen(0, '127.0.0.1', () => resolve(server))
    })),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

export default async function serve() {
  if (process.env.PAIFANG_CONSOLE_URL) return undefined
  const binary = process.env.PAIFANG_BIN
  if (!binary) throw new Error('PAIFANG_BIN names the paifang to test, or PAIFANG_CONSOLE_URL a console that runs')
  const home = mkdtempSync(join(tmpdir(), 'paifang-console-'))
  const data = join(home, 'data')
  const [console_, api] = await freePorts(2)
  // An address of its own in loopback, so that several run beside each other.
  const byte = () => 1 + Math.floor(Math.random() * 250)
  const node = `127.${2 + Math.floor(Math.random() * 200)}.${byte()}.${byte()}`
  const offset = String(20_000 + Math.floor(Math.random() * 20_000))
  writeFileSync(join(home, 'password'), PASSWORDS.admin)
  const up = ['up', '--demo', '--data-dir', data, '--api-address', `127.0.0.1:${api}`, '--console-address', `127.0.0.1:${console_}`, '--admin-address', 'none', '--dns-address', 'none', '--node-address', node, '--port-offset', offset, '--admin-password-file', join(home, 'password')]
  // The application inside the program is tested, unless a folder is named.
  if (process.env.PAIFANG_CONSOLE_DIR) up.push('--console-dir', process.env.PAIFANG_CONSOLE_DIR)
  const child = spawn(binary, up, { env: { ...process.env, HOME: home, XDG_DATA_HOME: home }, stdio: ['ignore', 'inherit', 'inherit'] })
  const url = `https://127.0.0.1:${console_}`
  await untilAnswers(url, () => child.exitCode)
  const kubeconfig = join(data, 'kubeconfig')
  for (const user of ['project-admin', 'project-regular'] as const) execFileSync(binary, ['user', 'password', user, '--password-stdin'], { input: `${PASSWORDS[user]}\n`, env: { ...process.env, HOME: home, KUBECONFIG: kubeconfig } })
  process.env.PAIFANG_CONSOLE_URL = url
  process.env.PAIFANG_KUBECONFIG = kubeconfig
  return () => {
    child.kill()
    rmSync(home, { recursive: true, force: true })
  }
}

async function untilAnswers(url: string, ended: () => number | null) {
  const until = Date.now() + PATIENCE
  while (Date.now() < until) {
    if (ended() !== null) throw new Error(`paifang up ended with ${ended()}`)
    if (await answers(url)) return
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error(`no console at ${url} within ${PATIENCE / 1000} s`)
}

const answers = (url: string) =>
  new Promise<boolean>((resolve) => {
    request(`${url}/console/session`, { rejectUnauthorized: false }, (answer) => (answer.resume(), resolve(answer.statusCode === 401)))
      .on('error', () => resolve(false))
      .end()
  })
