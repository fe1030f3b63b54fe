import { RiveraError } from '#rivera/models';

export interface RedisAddress {
  host: string;
  port: number;
}

interface Access {
  username?: string;
  password?: string;
  isEncrypted: boolean;
}

/** Where a Redis is, and of which kind. */
export type RedisPlace =
  | ({ kind: 'single'; url: string } & Access)
  | ({ kind: 'cluster'; nodes: RedisAddress[] } & Access)
  | ({
      kind: 'sentinel';
      sentinels: RedisAddress[];
      /** The name by which the sentinels know the master. */
      master: string;
      database: number;
      sentinelUsername?: string;
      sentinelPassword?: string;
    } & Access);

const FORMAT = /^(rediss?)\+(cluster|sentinel):\/\/(?:([^@/]*)@)?([^@/?]*)(?:\/([^?]*))?(?:\?(.*))?$/;
const DEFAULT_PORT = { cluster: 6379, sentinel: 26379 };

/**
 * One of
 *
 * - `redis://[user:password@]host[:port][/database]`: one server
 * - `redis+cluster://[user:password@]host[:port],…`: a Redis Cluster, found through any of these nodes
 * - `redis+sentinel://[user:password@]host[:port],…/master-name[/database]`: what these sentinels call the master;
 *   `?sentinelUsername=…&sentinelPassword=…` when they want one
 *
 * `rediss…` is the same over TLS. Errors: `invalid-request`, with what is wrong and without any password.
 */
export function parseRedisUrl(text: string): RedisPlace {
  if (/^rediss?:\/\//.test(text) && URL.canParse(text)) {
    const { protocol, username, password } = new URL(text);
    return {
      kind: 'single',
      url: text,
      isEncrypted: protocol === 'rediss:',
      ...accessOf(username, password),
    };
  }
  const [, scheme, kind, userinfo = '', hosts = '', path = '', query = ''] = FORMAT.exec(text) ?? [];
  if (scheme === undefined) {
    throw refused(
      'redis://host:6379, redis+cluster://host:6379,host:6379 or redis+sentinel://host:26379,host:26379/master-name',
    );
  }
  const [username = '', ...password] = userinfo.split(':');
  const access = { isEncrypted: scheme === 'rediss', ...accessOf(username, password.join(':')) };
  if (kind === 'cluster') {
    if (path !== '') throw refused('a cluster without a path, because it has one database only');
    if (query !== '') throw refused('a cluster without a query');
    return { kind, nodes: addresses(hosts, DEFAULT_PORT.cluster), ...access };
  }
  const [master = '', database = '0', ...more] = path.split('/');
  if (!/^[\w.-]+$/.test(master)) throw refused('the name of the master after the sentinels: …/master-name');
  if (!/^\d{1,5}$/.test(database) || more.length > 0)
    throw refused('/master-name/database-number at the end');
  const wanted = new URLSearchParams(query);
  const known = ['sentinelUsername', 'sentinelPassword'];
  if ([...wanted.keys()].some((name) => !known.includes(name)))
    throw refused(`no other parameters than ${known.join(' and ')}`);
  return {
    kind: 'sentinel',
    sentinels: addresses(hosts, DEFAULT_PORT.sentinel),
    master,
    database: Number(database),
    sentinelUsername: wanted.get('sentinelUsername') ?? undefined,
    sentinelPassword: wanted.get('sentinelPassword') ?? undefined,
    ...access,
  };
}

function addresses(hosts: string, defaultPort: number): RedisAddress[] {
  return hosts.split(',').map((each) => {
    const [, v6, name, port = String(defaultPort)] =
      /^(?:\[([\da-fA-F:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/.exec(each) ?? [];
    const host = v6 ?? name;
    if (host === undefined || Number(port) > 65_535 || Number(port) === 0) {
      throw refused(`host:port, separated by commas, but there is ${JSON.stringify(each)}`);
    }
    return { host, port: Number(port) };
  });
}

function accessOf(username: string, password: string): { username?: string; password?: string } {
  const decoded = (value: string): string | undefined => {
    if (value === '') return undefined;
    try {
      return decodeURIComponent(value);
    } catch {
      throw refused('a user and a password in which special characters are written as %xx');
    }
  };
  return { username: decoded(username), password: decoded(password) };
}

function refused(expected: string): RiveraError {
  return new RiveraError('invalid-request', expected);
}
