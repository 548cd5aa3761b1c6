// Certificates that sign themselves, and Secrets with them.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Manifest } from './kubectl'

/** In a folder of its own, for who made it to take away. */
export function certificateFor(host: string) {
  const folder = mkdtempSync(join(tmpdir(), 'paifang-certificate-'))
  const [certificate, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '90', '-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`, '-keyout', key, '-out', certificate], { stdio: 'ignore' })
  return { folder, certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') }
}

export function secretFor(namespace: string, name: string, host: string): Manifest {
  const { folder, certificate, key } = certificateFor(host)
  rmSync(folder, { recursive: true })
  return { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata: { name, namespace }, stringData: { 'tls.crt': certificate, 'tls.key': key } }
}
