// The dialog that takes a certificate and its key ↔ a Secret of type kubernetes.io/tls.
import type { Secret } from '../api/types'

export interface TlsForm {
  name: string
  certificate: string
  key: string
}

const base64 = (text: string) => btoa(String.fromCharCode(...new TextEncoder().encode(text)))

export const newTlsSecret = (namespace: string, form: TlsForm): Omit<Secret, 'apiVersion' | 'kind'> => ({ metadata: { name: form.name, namespace }, type: 'kubernetes.io/tls', data: pair(form) })

/** The Secret with another certificate and key; what else it holds stays. */
export const withPair = (secret: Secret, form: TlsForm): Secret => ({ ...secret, data: { ...secret.data, ...pair(form) } })

function pair({ certificate, key }: TlsForm) {
  const text = (it: string) => `${it.trim()}\n`
  return { 'tls.crt': base64(text(certificate)), 'tls.key': base64(text(key)) }
}

export function pemProblems({ certificate, key }: Pick<TlsForm, 'certificate' | 'key'>): { certificate?: 'noCertificate' | 'keyInCertificate'; key?: 'noKey' | 'lockedKey' } {
  const problems: ReturnType<typeof pemProblems> = {}
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(certificate)) problems.certificate = 'keyInCertificate'
  else if (!/-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----/.test(certificate)) problems.certificate = 'noCertificate'
  if (/ENCRYPTED/.test(key)) problems.key = 'lockedKey'
  else if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]+-----END [A-Z ]*PRIVATE KEY-----/.test(key)) problems.key = 'noKey'
  return problems
}
