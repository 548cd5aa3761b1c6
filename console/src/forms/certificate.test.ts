import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { keyFits, parseCertificate } from './certificate'

const home = mkdtempSync(join(tmpdir(), 'certificates-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

const openssl = (...words: string[]) => execFileSync('openssl', words, { cwd: home, stdio: ['ignore', 'pipe', 'ignore'] })
const read = (name: string) => readFileSync(join(home, name), 'utf8')

/** As people make them: a certificate for a year, its key in PKCS#8. */
function make(name: string, ...kind: string[]) {
  openssl('req', '-x509', '-newkey', ...kind, '-nodes', '-keyout', `${name}.key`, '-out', `${name}.crt`, '-days', '365', '-subj', `/CN=${name}.example.com`, '-addext', `subjectAltName=DNS:${name}.example.com,DNS:*.${name}.example.com,IP:10.0.0.1`)
  return { certificate: parseCertificate(read(`${name}.crt`)), key: read(`${name}.key`) }
}

const KINDS = { rsa: ['rsa:2048'], p256: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], p384: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384'], ed25519: ['ed25519'] }

describe('a certificate', () => {
  for (const [name, kind] of Object.entries(KINDS)) {
    it(`of ${name} says its names and until when it is valid, and knows its key`, async () => {
      const { certificate, key } = make(name, ...kind)
      expect(certificate?.names).toEqual([`${name}.example.com`, `*.${name}.example.com`, '10.0.0.1'])
      const days = ((certificate?.notAfter.getTime() ?? 0) - (certificate?.notBefore.getTime() ?? 0)) / 86_400_000
      expect(Math.round(days)).toBe(365)
      if (!certificate) throw new Error('unread')
      expect(await keyFits(certificate, key)).toBe(true)
      const others = Object.entries(KINDS).map(([other, how]) => make(`${other}-other`, ...how).key)
      for (const other of others) expect(await keyFits(certificate, other)).toBe(false)
    })
  }
  it('knows its key in the older forms, too', async () => {
    const rsa = make('old-rsa', ...KINDS.rsa)
    openssl('rsa', '-in', 'old-rsa.key', '-traditional', '-out', 'old-rsa.pem')
    expect(read('old-rsa.pem')).toContain('BEGIN RSA PRIVATE KEY')
    expect(rsa.certificate && (await keyFits(rsa.certificate, read('old-rsa.pem')))).toBe(true)
    const ec = make('old-ec', ...KINDS.p256)
    openssl('ec', '-in', 'old-ec.key', '-out', 'old-ec.pem')
    expect(read('old-ec.pem')).toContain('BEGIN EC PRIVATE KEY')
    expect(ec.certificate && (await keyFits(ec.certificate, read('old-ec.pem')))).toBe(true)
  })
  it('that is none, or cut short, is not read', () => {
    expect(parseCertificate('nothing')).toBeNull()
    expect(parseCertificate('-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----')).toBeNull()
  })
})
