// Stands between the browser and the console, and does to connections what networks do.
import { createSecureServer, type Http2SecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import { Agent, request } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { CERTIFICATE, KEY } from './certificate'
import { url } from './people'

type Answering = (asked: Http2ServerRequest, answer: Http2ServerResponse) => boolean

/** What belongs to one connection and is not handed on. */
const HOP = /^(:.*|connection|keep-alive|transfer-encoding|http2-settings|upgrade)$/

export class Between {
  /** All that was asked for. */
  readonly asked: string[] = []
  /** Answers in the console's place, where it says so. */
  instead: Answering = () => false
  /** Nobody gets through. */
  away = false
  readonly #open = new Set<Socket>()
  readonly #agent = new Agent({ keepAlive: true, rejectUnauthorized: false, maxSockets: 200 })
  readonly #server: Http2SecureServer

  private constructor() {
    this.#server = createSecureServer({ cert: CERTIFICATE, key: KEY, allowHTTP1: true }, (asked, answer) => this.#pass(asked, answer))
    this.#server.on('connection', (socket: Socket) => {
      if (this.away) return void socket.destroy()
      this.#open.add(socket)
      socket.on('close', () => this.#open.delete(socket)).on('error', () => undefined)
    })
    this.#server.on('sessionError', () => undefined)
  }

  static async stand(): Promise<Between> {
    const between = new Between()
    await new Promise<void>((resolve) => between.#server.listen(0, '127.0.0.1', resolve))
    return between
  }

  get url() {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Ends every connection, in the middle of whatever is said. */
  cut() {
    for (const socket of this.#open) socket.destroy()
  }

  leave() {
    this.cut()
    this.#server.close()
    this.#agent.destroy()
  }

  #pass(asked: Http2ServerRequest, answer: Http2ServerResponse) {
    this.asked.push(`${asked.method} ${asked.url}`)
    if (this.instead(asked, answer)) return
    const headers = Object.fromEntries(Object.entries(asked.headers).filter(([name]) => !HOP.test(name)))
    const sent = request(new URL(asked.url, url()), { method: asked.method, headers: { ...headers, host: new URL(this.url).host }, agent: this.#agent }, (got) => {
      answer.writeHead(got.statusCode ?? 502, Object.fromEntries(Object.entries(got.headers).filter(([name]) => !HOP.test(name))))
      got.pipe(answer)
      got.on('error', () => answer.stream?.destroy())
    })
    sent.on('error', () => answer.stream?.destroy())
    answer.on('close', () => sent.destroy())
    asked.pipe(sent)
  }
}
