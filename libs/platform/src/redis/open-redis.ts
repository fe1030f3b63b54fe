import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { parseRedisUrl, type RedisPlace } from './redis-url.js';

/** A client of one server, of the master that sentinels name, or of a Redis Cluster. */
export type RedisClient = Redis | Cluster;

export interface OpenRedisOptions extends RedisOptions {
  /** Commands that do not travel in a pipeline with others when it is a Redis Cluster. */
  clusterUnpipelined?: string[] | 'all';
  /**
   * Commands are sent again to a Redis Cluster when the connection broke under them, so that they may happen twice.
   * @defaultValue false: the caller is told, as with one server
   */
  clusterResends?: boolean;
}

/** A node that does not answer is given up after this. */
const CONNECT_TIMEOUT_MS = 4_000;
/** A Redis Cluster's map is read anew this often: a node that hangs does not say that it has been replaced. */
const SLOTS_REFRESH_MS = 5_000;
const RESEND_DELAY_MS = 100;

/**
 * Opens a client by URL (see `parseRedisUrl`). The options are those of a connection to one server; each kind gets them in
 * its own way.
 */
export function openRedis(url: string, options: OpenRedisOptions = {}): RedisClient {
  const place = parseRedisUrl(url);
  const { clusterUnpipelined, clusterResends, ...connection } = options;
  const common = { connectTimeout: CONNECT_TIMEOUT_MS, ...connection };
  if (place.kind === 'single') return new Redis(place.url, common);
  const access = {
    username: place.username,
    password: place.password,
    ...(place.isEncrypted && { tls: connection.tls ?? {} }),
  };
  return place.kind === 'sentinel'
    ? openBySentinel(place, { ...common, ...access })
    : openCluster(place, { ...common, ...access }, { clusterUnpipelined, clusterResends });
}

function openBySentinel(place: RedisPlace & { kind: 'sentinel' }, options: RedisOptions): Redis {
  const redis: Redis = new Redis({
    ...options,
    sentinels: place.sentinels,
    name: place.master,
    db: place.database,
    role: 'master',
    sentinelUsername: place.sentinelUsername,
    sentinelPassword: place.sentinelPassword,
    sentinelCommandTimeout: CONNECT_TIMEOUT_MS,
    enableTLSForSentinelMode: place.isEncrypted,
    ...(place.isEncrypted && { sentinelTLS: options.tls }),
    sentinelRetryStrategy: (round) => {
      // The first time it only means that each has been asked once since the client was made.
      const isUnreachable = round > 1;
      // What waits would be sent long after its caller has given up.
      if (isUnreachable && options.commandTimeout !== undefined)
        redis['flushQueue'](new Error('No sentinel can be reached.'));
      return isUnreachable ? Math.min(round * 100, 1_000) : 10;
    },
    // A master that hangs does not say that it has been replaced; the sentinels do.
    failoverDetector: true,
    sentinelReconnectStrategy: (attempt) => Math.min(attempt * 200, 2_000),
    // A former master has become a replica: the next connection goes to the new one.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  });
  return redis;
}

function openCluster(
  place: RedisPlace & { kind: 'cluster' },
  options: RedisOptions,
  { clusterUnpipelined = [], clusterResends = false }: OpenRedisOptions,
): Cluster {
  const {
    enableAutoPipelining,
    lazyConnect,
    retryStrategy,
    enableOfflineQueue: _,
    ...redisOptions
  } = options;
  const cluster = new Cluster(place.nodes, {
    redisOptions,
    ...(clusterUnpipelined !== 'all' && {
      enableAutoPipelining,
      autoPipeliningIgnoredCommands: clusterUnpipelined,
    }),
    lazyConnect,
    clusterRetryStrategy: (attempt) => (retryStrategy ? (retryStrategy(attempt) as number) : 200),
    retryDelayOnFailover: clusterResends ? RESEND_DELAY_MS : 0,
    slotsRefreshInterval: SLOTS_REFRESH_MS,
    // Nodes say their addresses; names in certificates are checked against those given.
    dnsLookup: (address, callback) => callback(null, address),
  });
  const { commandTimeout } = options;
  if (commandTimeout === undefined) return cluster;
  // What waits for the cluster to be found would wait without an end, and be sent long after its caller has given up.
  cluster.on('close', () => cluster['flushQueue'](new Error('No node of the Redis Cluster can be reached.')));
  const send = cluster.sendCommand.bind(cluster);
  cluster.sendCommand = (command, ...rest) => {
    command.setTimeout(commandTimeout);
    return send(command, ...rest);
  };
  return cluster;
}
