import { z } from 'zod';

/** An address to accept connections on. Port 0 lets the system choose. */
export interface ListenAddress {
  host: string;
  port: number;
}

const ADDRESS = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[^:\s]*)):(?<port>\d{1,5})$/;

/** `host:port`, `[::1]:port` or `:port`; undefined: none of these. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const groups = ADDRESS.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const port = Number(groups['port']);
  if (port > 65_535) return undefined;
  return { host: groups['v6'] ?? (groups['host'] || '0.0.0.0'), port };
}

const address = z.string().transform((text, context) => {
  const parsed = parseListenAddress(text);
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: 'custom', message: 'host:port, for example 127.0.0.1:8889, [::1]:8889 or :8889' });
  return z.NEVER;
});

/** A section that reads `host:port` from one variable, e.g. `listenConfig('BBS_LISTEN', '127.0.0.1:8889')`. */
export function listenConfig(variable: string, fallback: string): z.ZodType<ListenAddress> {
  const schema = z.string().default(fallback).pipe(address);
  return z.object({ [variable]: schema }).transform((env) => env[variable] as z.output<typeof schema>);
}

/** `HEALTH_LISTEN`: where an app without an HTTP API answers `/healthz`, `/readyz` and `/metrics`; nowhere when unset. */
export const healthListen = z
  .object({ HEALTH_LISTEN: address.optional() })
  .transform((env): ListenAddress | undefined => env.HEALTH_LISTEN);
