// A `paifang up --demo` of its own for the tests: in a folder and at addresses of its own, with passwords that the tests know.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PASSWORDS } from './people'

const PATIENCE = 90_000
/** For machines on which ports below 1024 may not be listened on. */
const OFFSET = 20_000
/** How many node ports one has. */
const NODE_PORTS = 100

export interface Up {
  /** Of the console. */
  url: string
  /** Of the administrator. */
  kubeconfig: string
  home: string
  /** The address of node ports. */
  node: string
  /** Added to ports below 1024. */
  offset: number
  stop: () => void
}

/** For the whole run, unless a console is named that runs already. */
export default async function serve() {
  if (process.env.PAIFANG_CONSOLE_URL) return undefined
  const { url, kubeconfig, node, offset, stop } = await up()
  Object.assign(process.env, { PAIFANG_CONSOLE_URL: url, PAIFANG_KUBECONFIG: kubeconfig, PAIFANG_NODE: node, PAIFANG_PORT_OFFSET: String(offset) })
  return stop
}

/** Starts one and waits until the people of the demo can sign in; `more` is put behind its command line. */
export async function up(more: string[] = []): Promise<Up> {
  const binary = process.env.PAIFANG_BIN
  if (!binary) throw new Error('PAIFANG_BIN names the paifang to test, or PAIFANG_CONSOLE_URL a console that runs')
  const home = mkdtempSync(join(tmpdir(), 'paifang-console-'))
  const { node, pool, offset, words } = await places()
  const [own, api] = await freePorts(2)
  const [data, password] = [join(home, 'data'), join(home, 'password')]
  writeFileSync(password, `${PASSWORDS.admin}\n`)
  const fixed = ['--data-dir', data, '--api-address', `127.0.0.1:${api}`, '--console-address', `127.0.0.1:${own}`, '--admin-address', 'none', '--dns-address', 'none', '--admin-password-file', password]
  // The application inside the program is tested, unless a folder is named.
  const folder = process.env.PAIFANG_CONSOLE_DIR ? ['--console-dir', process.env.PAIFANG_CONSOLE_DIR] : []
  const log = join(home, 'log')
  const out = openSync(log, 'w')
  const child = spawn(binary, ['up', '--demo', ...fixed, '--node-address', node, '--pool', pool, ...words, ...folder, ...more], { env: { ...process.env, HOME: home, XDG_DATA_HOME: home }, stdio: ['ignore', out, out] })
  closeSync(out)
  const stop = stopping(child, home)
  const it = { url: `https://127.0.0.1:${own}`, kubeconfig: join(data, 'kubeconfig'), home, node, offset, stop }
  try {
    const runs = () => child.exitCode === null || fail(`paifang up ended with ${child.exitCode}`)
    await within(async () => runs() && (await get(`${it.url}/console/session`)).status === 401, `no console at ${it.url}`)
    await isTheApplication(it.url)
    // While the demo gives passwords itself, another's would stop it.
    await within(async () => runs() && /project-regular .*one-time password/.test(readFileSync(log, 'utf8')), 'no people of the demo')
    for (const user of ['project-admin', 'project-regular'] as const) await within(() => setPassword(binary, it, user), `no password for ${user}`)
  } catch (error) {
    process.stderr.write(readFileSync(log, 'utf8'))
    stop()
    throw error
  }
  return it
}

/** Addresses in loopback that are nobody else's, so that several run beside each other. */
async function places() {
  const byte = (from: number, to: number) => from + Math.floor(Math.random() * (to - from))
  const network = `127.${byte(2, 250)}.${byte(0, 255)}`
  const [node, pool] = [`${network}.1`, `${network}.10-${network}.59`]
  const offset = (await mayListen(`${network}.1`, 80)) ? 0 : OFFSET
  const first = 30_000 + NODE_PORTS * byte(0, Math.floor(2_700 / NODE_PORTS))
  return { node, pool, offset, words: ['--port-offset', String(offset), '--node-ports', `${first}-${first + NODE_PORTS - 1}`] }
}

const listening = (port: number, address: string) =>
  new Promise<Server>((resolve, reject) => {
    const server = createServer().once('error', reject).listen(port, address, () => resolve(server))
  })
const closed = (server: Server) => new Promise((resolve) => server.close(resolve))
const mayListen = (address: string, port: number) => listening(port, address).then(closed).then(() => true, () => false)

/** Ports that nobody has: all taken at once, so that they differ, then given back. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listening(0, '127.0.0.1')))
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map(closed))
  return ports
}

function stopping(child: ChildProcess, home: string) {
  const stop = () => {
    child.kill('SIGKILL')
    rmSync(home, { recursive: true, force: true, maxRetries: 5 })
  }
  // Whoever ends the tests ends it as well.
  process.once('exit', stop)
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
  return () => {
    process.off('exit', stop)
    stop()
  }
}

function fail(text: string): never {
  throw new Error(text)
}

async function within(done: () => Promise<boolean>, otherwise: string) {
  const until = Date.now() + PATIENCE
  while (!(await done())) {
    if (Date.now() > until) throw new Error(`${otherwise} within ${PATIENCE / 1000} s`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

/** The plain page that a program without the application shows would pass some tests. */
async function isTheApplication(url: string) {
  const { body } = await get(url)
  if (!/<script[^>]+type="module"/.test(body)) throw new Error('the plain page stands in: this paifang was built without the console (npm run build, then build paifang)')
}

async function setPassword(binary: string, { home, kubeconfig }: Pick<Up, 'home' | 'kubeconfig'>, user: 'project-admin' | 'project-regular'): Promise<boolean> {
  const running = promisify(execFile)(binary, ['user', 'password', user, '--password-stdin'], { env: { ...process.env, HOME: home, KUBECONFIG: kubeconfig } })
  // It may have ended before it reads: then it is tried again.
  running.child.stdin?.on('error', () => undefined)
  running.child.stdin?.end(`${PASSWORDS[user]}\n`)
  return running.then(() => true, () => false)
}

const get = (url: string) =>
  new Promise<{ status: number; body: string }>((resolve) => {
    request(url, { rejectUnauthorized: false }, (answer) => {
      let body = ''
      answer.setEncoding('utf8').on('data', (part: string) => (body += part))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }))
    })
      .on('error', () => resolve({ status: 0, body: '' }))
      .end()
  })
