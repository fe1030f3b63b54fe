import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { z } from 'zod';
import { type ListenAddress, parseListenAddress } from '#rivera/platform';

/** The certificates of a listener that knows its clients by theirs. PEM. */
export interface MutualTls {
  cert: Buffer;
  key: Buffer;
  /** Of the authority that signs the certificates of clients. */
  ca: Buffer;
}

export interface DiegoConfig {
  listen: ListenAddress;
  /** Undefined: plain text, and so only on this machine. */
  tls?: MutualTls;
}

/**
 * `DIEGO_WIRE_LISTEN` (nothing by default, and then nobody listens), `DIEGO_WIRE_CERT_FILE`, `DIEGO_WIRE_KEY_FILE` and
 * `DIEGO_WIRE_CA_FILE`: PEM files, all three or none. Without them the address must be one of this machine.
 */
export const diegoConfig = z
  .object({
    DIEGO_WIRE_LISTEN: z.string().optional(),
    DIEGO_WIRE_CERT_FILE: z.string().optional(),
    DIEGO_WIRE_KEY_FILE: z.string().optional(),
    DIEGO_WIRE_CA_FILE: z.string().optional(),
  })
  .transform((env, context): DiegoConfig | undefined => {
    if (env.DIEGO_WIRE_LISTEN === undefined) return undefined;
    const refuse = (variable: string, message: string) => {
      context.addIssue({ code: 'custom', path: [variable], message });
      return z.NEVER;
    };
    const listen = parseListenAddress(env.DIEGO_WIRE_LISTEN);
    if (listen === undefined) return refuse('DIEGO_WIRE_LISTEN', 'host:port, for example 0.0.0.0:8889');
    const files = {
      cert: env.DIEGO_WIRE_CERT_FILE,
      key: env.DIEGO_WIRE_KEY_FILE,
      ca: env.DIEGO_WIRE_CA_FILE,
    };
    const given = Object.values(files).filter((file) => file !== undefined);
    if (given.length === 0) {
      if (isLoopback(listen.host)) return { listen };
      return refuse(
        'DIEGO_WIRE_CERT_FILE',
        'a certificate file (and DIEGO_WIRE_KEY_FILE and DIEGO_WIRE_CA_FILE), because DIEGO_WIRE_LISTEN is reached from other machines',
      );
    }
    try {
      const { cert = '', key = '', ca = '' } = files;
      return { listen, tls: { cert: readFileSync(cert), key: readFileSync(key), ca: readFileSync(ca) } };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return refuse(
        'DIEGO_WIRE_CERT_FILE',
        `readable, with DIEGO_WIRE_KEY_FILE and DIEGO_WIRE_CA_FILE: ${reason}`,
      );
    }
  });

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
