// What a certificate in PEM says of itself, and whether a key is its own: known before anything is sent.

export interface Parsed {
  /** Alternative names, or else the common name. */
  names: string[]
  notBefore: Date
  notAfter: Date
  /** SubjectPublicKeyInfo. */
  publicKey: Uint8Array<ArrayBuffer>
  /** The algorithm of that key, as it stands there. */
  algorithm: Uint8Array<ArrayBuffer>
}

/** A value of DER. */
interface Node {
  tag: number
  /** With its head. */
  whole: Uint8Array<ArrayBuffer>
  body: Uint8Array<ArrayBuffer>
}

function nodes(bytes: Uint8Array<ArrayBuffer>): Node[] {
  const all: Node[] = []
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] ?? 0
    let [length, head] = [bytes[at + 1] ?? 0, 2]
    if (length & 0x80) {
      const count = length & 0x7f
      length = 0
      for (let index = 0; index < count; index += 1) length = length * 256 + (bytes[at + 2 + index] ?? 0)
      head += count
    }
    const end = at + head + length
    if (end > bytes.length) throw new Error('cut short')
    all.push({ tag, whole: bytes.slice(at, end), body: bytes.slice(at + head, end) })
    at = end
  }
  return all
}

const inside = (node: Node | undefined): Node[] => nodes((node ?? fail()).body)
const fail = (): never => {
  throw new Error('not a certificate')
}

/** The first block of that kind. */
function unwrap(pem: string, label: RegExp): { label: string; bytes: Uint8Array<ArrayBuffer> } | null {
  const found = new RegExp(`-----BEGIN (${label.source})-----([A-Za-z0-9+/=\\s]+)-----END \\1-----`).exec(pem)
  if (!found) return null
  return { label: found[1] ?? '', bytes: Uint8Array.from(atob((found[2] ?? '').replace(/\s/g, '')), (it) => it.charCodeAt(0)) }
}

const SEQUENCE = 0x30
const UTC_TIME = 0x17
const SAN = '55 1d 11'
const COMMON_NAME = '55 04 03'
const hex = (bytes: Uint8Array) => [...bytes].map((it) => it.toString(16).padStart(2, '0')).join(' ')
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

function time({ tag, body }: Node): Date {
  const digits = text(body)
  const year = tag === UTC_TIME ? `${Number(digits.slice(0, 2)) >= 50 ? '19' : '20'}${digits.slice(0, 2)}` : digits.slice(0, 4)
  const rest = digits.slice(tag === UTC_TIME ? 2 : 4)
  return new Date(`${year}-${rest.slice(0, 2)}-${rest.slice(2, 4)}T${rest.slice(4, 6)}:${rest.slice(6, 8)}:${rest.slice(8, 10)}Z`)
}

/** `null`: there is none, or it cannot be read. */
export function parseCertificate(pem: string): Parsed | null {
  try {
    const der = unwrap(pem, /CERTIFICATE/)
    if (!der) return null
    const [certificate] = nodes(der.bytes)
    const fields = inside(inside(certificate)[0])
    // The version may be absent.
    const [, , , validity, subject, key] = fields[0]?.tag === 0xa0 ? fields.slice(1) : fields
    const [notBefore, notAfter] = inside({ ...(validity ?? fail()) })
    const extensions = fields.find((it) => it.tag === 0xa3)
    const names = [...alternatives(extensions), ...commonNames(subject ?? fail())]
    return { names: names.slice(0, Math.max(1, alternatives(extensions).length)), notBefore: time(notBefore ?? fail()), notAfter: time(notAfter ?? fail()), publicKey: (key ?? fail()).whole, algorithm: (inside(key)[0] ?? fail()).whole }
  } catch {
    return null
  }
}

function alternatives(extensions: Node | undefined): string[] {
  const all = extensions ? inside(inside(extensions)[0]) : []
  const found = all.find((it) => hex(inside(it)[0]?.body ?? new Uint8Array()) === SAN)
  const value = found && inside(found).at(-1)
  return value ? inside(inside(value)[0]).flatMap(({ tag, body }) => (tag === 0x82 ? [text(body)] : tag === 0x87 ? [address(body)] : [])) : []
}

const address = (body: Uint8Array) => (body.length === 4 ? [...body].join('.') : (hex(body).replaceAll(' ', '').match(/.{4}/g) ?? []).join(':'))

function commonNames(subject: Node): string[] {
  return inside(subject).flatMap((set) => inside(set).flatMap((it) => (hex(inside(it)[0]?.body ?? new Uint8Array()) === COMMON_NAME ? [text(inside(it)[1]?.body ?? new Uint8Array())] : [])))
}

const ALGORITHMS = [
  { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-256' },
  { name: 'ECDSA', namedCurve: 'P-521', hash: 'SHA-256' },
  { name: 'Ed25519' },
]

/** Whether the key is that of the certificate; `null`: it cannot be told here. */
export async function keyFits(certificate: Parsed, pem: string): Promise<boolean | null> {
  const key = privateKey(pem, certificate.algorithm)
  if (!key) return null
  for (const algorithm of ALGORITHMS) {
    const open = await crypto.subtle.importKey('spki', certificate.publicKey, algorithm, false, ['verify']).catch(() => null)
    if (!open) continue
    const closed = await crypto.subtle.importKey('pkcs8', key, algorithm, false, ['sign']).catch(() => null)
    // A key of another kind, for the certificate's is known.
    if (!closed) return false
    const words = new TextEncoder().encode('fits')
    return crypto.subtle.verify(algorithm, open, await crypto.subtle.sign(algorithm, closed, words), words)
  }
  return null
}

/** In PKCS#8; older forms lack the algorithm, which the certificate has. */
function privateKey(pem: string, algorithm: Uint8Array): Uint8Array<ArrayBuffer> | null {
  const found = unwrap(pem, /(?:RSA |EC )?PRIVATE KEY/)
  if (!found) return null
  if (found.label === 'PRIVATE KEY') return found.bytes
  return node(SEQUENCE, [Uint8Array.of(2, 1, 0), algorithm, node(4, [found.bytes])])
}

function node(tag: number, parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, it) => sum + it.length, 0)
  const digits: number[] = []
  for (let left = length; left > 0; left = Math.floor(left / 256)) digits.unshift(left % 256)
  const head = length < 128 ? [tag, length] : [tag, 0x80 | digits.length, ...digits]
  return Uint8Array.from([...head, ...parts.flatMap((it) => [...it])])
}
