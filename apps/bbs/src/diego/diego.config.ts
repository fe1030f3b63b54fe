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

/** What of Diego `bbs` serves. */
export interface DiegoConfig {
  /** The BBS API. */
  wireListen?: ListenAddress;
  /** Locket. */
  locketListen?: ListenAddress;
  /** 200 for whatever is asked while `bbs` runs. */
  healthListen?: ListenAddress;
  /** Where clients reach the BBS API, without a slash at the end. */
  wireUrl?: string;
  /** Undefined: plain text, and so only on this machine. */
  tls?: MutualTls;
}

const LISTENERS = { wireListen: 'DIEGO_WIRE_LISTEN', locketListen: 'DIEGO_LOCKET_LISTEN' } as const;
const FILES = { cert: 'DIEGO_CERT_FILE', key: 'DIEGO_KEY_FILE', ca: 'DIEGO_CA_FILE' } as const;

/**
 * `DIEGO_WIRE_LISTEN`, `DIEGO_LOCKET_LISTEN` and `DIEGO_HEALTH_LISTEN`: nobody listens where it is not set.
 * `DIEGO_CERT_FILE`, `DIEGO_KEY_FILE` and `DIEGO_CA_FILE`: PEM files, all three or none, and without them the first two
 * must be addresses of this machine. `DIEGO_WIRE_URL`: where clients reach the first.
 */
export const diegoConfig = z
  .object({
    DIEGO_WIRE_LISTEN: z.string().optional(),
    DIEGO_LOCKET_LISTEN: z.string().optional(),
    DIEGO_HEALTH_LISTEN: z.string().optional(),
    DIEGO_CERT_FILE: z.string().optional(),
    DIEGO_KEY_FILE: z.string().optional(),
    DIEGO_CA_FILE: z.string().optional(),
    DIEGO_WIRE_URL: z
      .url({ protocol: /^https?$/, error: 'a URL such as https://bbs.example.com:8889' })
      .optional(),
  })
  .transform((env, context): DiegoConfig => {
    const refuse = (variable: string, message: string) =>
      context.addIssue({ code: 'custom', path: [variable], message });
    const addressIn = (variable: keyof typeof env): ListenAddress | undefined => {
      const text = env[variable];
      const address = text === undefined ? undefined : parseListenAddress(text);
      if (text !== undefined && address === undefined)
        refuse(variable, 'host:port, for example 0.0.0.0:8889');
      return address;
    };
    const tls = readTls(env, refuse);
    const config: DiegoConfig = {
      wireListen: addressIn('DIEGO_WIRE_LISTEN'),
      locketListen: addressIn('DIEGO_LOCKET_LISTEN'),
      healthListen: addressIn('DIEGO_HEALTH_LISTEN'),
      wireUrl: env.DIEGO_WIRE_URL?.replace(/\/+$/, ''),
      tls,
    };
    for (const [name, variable] of Object.entries(LISTENERS)) {
      const address = config[name as keyof typeof LISTENERS];
      if (address === undefined || tls !== undefined || isLoopback(address.host)) continue;
      const reason = `because ${variable} is reached from other machines`;
      refuse(FILES.cert, `a certificate file (and ${FILES.key} and ${FILES.ca}), ${reason}`);
    }
    return config;
  });

function readTls(
  env: Partial<Record<(typeof FILES)[keyof typeof FILES], string>>,
  refuse: (variable: string, message: string) => void,
): MutualTls | undefined {
  const entries = Object.entries(FILES).map(([name, variable]) => ({ name, variable, file: env[variable] }));
  if (entries.every(({ file }) => file === undefined)) return undefined;
  const read = entries.map(({ name, variable, file }) => {
    if (file === undefined) {
      refuse(variable, `a PEM file, because ${entries.find((entry) => entry.file)?.variable} is set`);
      return [name, undefined];
    }
    try {
      return [name, readFileSync(file)];
    } catch (error) {
      refuse(variable, `a readable PEM file (${error instanceof Error ? error.message : String(error)})`);
      return [name, undefined];
    }
  });
  return Object.fromEntries(read) as MutualTls;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
