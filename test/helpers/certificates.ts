import { spawnSync } from 'node:child_process'

function openssl(...args: string[]): void {
  const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
}

/**
 * Makes an authority, `ca.pem`, and certificates with keys of a server and a client of 127.0.0.1 and localhost.
 * @param at path of a file by its name
 */
export function makeCertificates(at: (name: string) => string): void {
  const names = 'subjectAltName=IP:127.0.0.1,DNS:localhost'
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  openssl('req', '-x509', ...key, '-keyout', at('ca.key'), '-out', at('ca.pem'), '-subj', '/CN=authority')
  for (const name of ['server', 'client']) {
    const files = ['-keyout', at(`${name}.key`), '-out', at(`${name}.pem`)]
    const signed = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-subj', `/CN=${name}`, '-addext', names]
    openssl('req', '-x509', ...key, ...signed, ...files)
  }
}
