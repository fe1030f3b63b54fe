import {
  createPrivateKey,
  generateKeyPair,
  type KeyObject,
  randomUUID,
  webcrypto,
  X509Certificate,
} from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import { RiveraError } from '#rivera/models';

/** Diego executor, credential manager. */
const KEY_BITS = 3_072;
const HASH = 'SHA-256';
const CURVES: Record<string, string> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };

/** Whom a certificate is for. */
export interface CertificateSubject {
  /** Common name and DNS name: the instance guid or task guid. */
  guid: string;
  organizationalUnits: string[];
  /** Where it is reached; left out when it is no IP address. */
  address: string;
}

export interface IssuedCertificate {
  /** PEM: the certificate and the one it was signed with. */
  certificate: string;
  /** PEM, PKCS#1. */
  key: string;
}

/** Signs certificates of instances with the cell's authority (Diego executor, instance identity). */
export class CertificateIssuer {
  private constructor(
    private readonly x509: typeof import('@peculiar/x509'),
    private readonly authority: { pem: string; subject: string; key: webcrypto.CryptoKey },
    readonly validityMs: number,
  ) {}

  /** Rejects with `invalid-request` when the two files are not a certificate and its key. */
  static async open(options: {
    certFile: string;
    keyFile: string;
    validityMs: number;
  }): Promise<CertificateIssuer> {
    const { certFile, keyFile, validityMs } = options;
    // Loaded by cells that have an authority only: it is large.
    const x509 = await import('@peculiar/x509');
    try {
      const [pem, keyPem] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile)]);
      const key = createPrivateKey(keyPem);
      if (!new X509Certificate(pem).checkPrivateKey(key)) throw new Error('they do not belong together');
      const { subject } = new x509.X509Certificate(pem);
      return new CertificateIssuer(x509, { pem, subject, key: await signingKey(key) }, validityMs);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const what = `The authority for certificates of instances cannot be read from ${certFile} and ${keyFile}`;
      throw new RiveraError('invalid-request', `${what}: ${reason}.`);
    }
  }

  /** A new key and a certificate for it that is valid from now on. */
  async issue({ guid, organizationalUnits, address }: CertificateSubject): Promise<IssuedCertificate> {
    const { x509, authority, validityMs } = this;
    const pair = await promisify(generateKeyPair)('rsa', { modulusLength: KEY_BITS });
    const now = Date.now();
    const certificate = await x509.X509CertificateGenerator.create(
      {
        serialNumber: randomUUID().replaceAll('-', ''),
        subject: [...organizationalUnits.map((unit) => ({ OU: [unit] })), { CN: [guid] }],
        issuer: authority.subject,
        notBefore: new Date(now),
        notAfter: new Date(now + validityMs),
        signingKey: authority.key,
        signingAlgorithm: { ...authority.key.algorithm, hash: HASH } as never,
        publicKey: new x509.PublicKey(pair.publicKey.export({ type: 'spki', format: 'der' })),
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(
            x509.KeyUsageFlags.digitalSignature |
              x509.KeyUsageFlags.keyEncipherment |
              x509.KeyUsageFlags.keyAgreement,
            true,
          ),
          new x509.ExtendedKeyUsageExtension([
            x509.ExtendedKeyUsage.serverAuth,
            x509.ExtendedKeyUsage.clientAuth,
          ]),
          new x509.SubjectAlternativeNameExtension([
            { type: 'dns', value: guid },
            ...(isIP(address) === 0 ? [] : [{ type: 'ip' as const, value: address }]),
          ]),
        ],
      },
      webcrypto as never,
    );
    return {
      certificate: `${certificate.toString('pem').trim()}\n${authority.pem.trim()}\n`,
      key: pair.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
    };
  }
}

async function signingKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const der = key.export({ type: 'pkcs8', format: 'der' });
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (key.asymmetricKeyType !== 'rsa' && curve === undefined)
    throw new Error('the key is neither RSA nor ECDSA');
  const algorithm =
    curve === undefined ? { name: 'RSASSA-PKCS1-v1_5', hash: HASH } : { name: 'ECDSA', namedCurve: curve };
  return webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
}
