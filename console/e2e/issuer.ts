// A small issuer of OpenID Connect for the tests: discovery, keys, a page that agrees by itself, tokens for whoever proves to have begun.
import { createHash, createPublicKey, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What the issuer does with whoever comes. */
export type Manner = 'agrees' | 'asks first' | 'denies' | 'forgets the nonce' | 'signs with another key'

interface Begun {
  challenge: string
  nonce: string
  redirect: string
}

export class Issuer {
  /** Who has a session there. */
  person = { sub: 'nobody', name: 'Nobody', email: 'nobody@example.com' }
  manner: Manner = 'agrees'
  /** How often a code was given for a token. */
  exchanged = 0
  private readonly begun = new Map<string, Begun>()
  private readonly key = pair()
  private readonly other = pair()
  private readonly server = createServer((request, response) => void this.answer(request, response).catch(() => response.destroy()))
  readonly client = 'paifang-console'
  /** Another site than the console's, as in life: cookies that never leave their site are put to the test. */
  url = ''

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve))
    this.url = `http://localhost:${(this.server.address() as AddressInfo).port}`
    return this
  }

  stop() {
    this.server.closeAllConnections()
    this.server.close()
  }

  private async answer(request: IncomingMessage, response: ServerResponse) {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url)
    if (pathname === '/.well-known/openid-configuration') return json(response, 200, this.document())
    if (pathname === '/keys') return json(response, 200, { keys: [{ ...createPublicKey(this.key).export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'RS256' }] })
    if (pathname === '/authorize') return this.authorize(searchParams, response)
    if (pathname === '/token' && request.method === 'POST') return this.token(new URLSearchParams(await body(request)), response)
    return json(response, 404, { error: 'not_found' })
  }

  private document() {
    return { issuer: this.url, authorization_endpoint: `${this.url}/authorize`, token_endpoint: `${this.url}/token`, jwks_uri: `${this.url}/keys`, response_types_supported: ['code'], subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['RS256'] }
  }

  private authorize(asked: URLSearchParams, response: ServerResponse) {
    const word = (name: string) => asked.get(name) ?? ''
    const whole = word('response_type') === 'code' && word('client_id') === this.client && word('code_challenge_method') === 'S256' && word('scope').split(' ').includes('openid')
    if (!whole || word('state') === '') return json(response, 400, { error: 'invalid_request' })
    const back = new URL(word('redirect_uri'))
    back.searchParams.set('state', word('state'))
    if (this.manner === 'denies') back.searchParams.set('error', 'access_denied')
    else {
      const code = randomBytes(16).toString('hex')
      this.begun.set(code, { challenge: word('code_challenge'), nonce: word('nonce'), redirect: word('redirect_uri') })
      back.searchParams.set('code', code)
    }
    if (this.manner === 'asks first') response.writeHead(200, { 'content-type': 'text/html' }).end(`<a href="${back.href.replaceAll('&', '&amp;')}">agree</a>`)
    else response.writeHead(302, { location: back.href }).end()
  }

  private token(given: URLSearchParams, response: ServerResponse) {
    const begun = this.begun.get(given.get('code') ?? '')
    this.begun.delete(given.get('code') ?? '')
    const challenge = createHash('sha256').update(given.get('code_verifier') ?? '').digest('base64url')
    if (!begun || challenge !== begun.challenge || given.get('redirect_uri') !== begun.redirect || given.get('grant_type') !== 'authorization_code') return json(response, 400, { error: 'invalid_grant' })
    this.exchanged += 1
    const now = Math.floor(Date.now() / 1000)
    const nonce = this.manner === 'forgets the nonce' ? 'another' : begun.nonce
    const claims = { iss: this.url, aud: this.client, iat: now, exp: now + 300, nonce, ...this.person }
    const token = signed(claims, this.manner === 'signs with another key' ? this.other : this.key)
    return json(response, 200, { id_token: token, access_token: 'none', token_type: 'Bearer', expires_in: 300 })
  }
}

const pair = (): KeyObject => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey

function signed(claims: object, key: KeyObject): string {
  const part = (it: object) => Buffer.from(JSON.stringify(it)).toString('base64url')
  const words = `${part({ alg: 'RS256', typ: 'JWT', kid: 'one' })}.${part(claims)}`
  return `${words}.${sign('sha256', Buffer.from(words), key).toString('base64url')}`
}

async function body(request: IncomingMessage): Promise<string> {
  let all = ''
  for await (const part of request) all += String(part)
  return all
}

function json(response: ServerResponse, status: number, what: object) {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(what))
}
