/**
 * What is left of `bbs` when everything is left out but moving the bytes: Node's own HTTP server, `JSON.parse`, and the same
 * reads and commits by the same Redis client. No framework, no token, no check of the body, no rule, no log. Serves one cell
 * and clients who desire; what is claimed and started must have been desired here.
 */
import { createServer } from 'node:http';
import { splitDesiredLRP } from '#rivera/models';
import { connectRedis, shardKey, shardOf } from '#rivera/store';

const { REDIS_URL: url, CELL_ID: cellId, PORT: port } = process.env;
const redis = connectRedis(url);
const epoch = 'f81d4fae-7dec-41d0-a765-00a0c91e6bf6';
const traceId = 'f81d4fae7dec41d0a76500a0c91e6bf6';
const tagged = (record, index) => ({ ...record, modificationTag: { epoch, index } });
/** A stored value as its version and its JSON. */
const halves = (value) => [value.slice(0, value.indexOf(' ')), value.slice(value.indexOf(' ') + 1)];

/** @param groups of checks and of writes: what, which key, arguments; see the commit script of the store */
async function commit(shard, { role = '', token = '', checks, writes, events }) {
  const names = ['meta', 'events'];
  const flat = (groups) => {
    const args = [String(groups.length)];
    for (const [what, name, ...rest] of groups) {
      if (!names.includes(name)) names.push(name);
      args.push(what, String(names.indexOf(name) + 1), String(rest.length), ...rest);
    }
    return args;
  };
  const entry = [String(events.length), '4', 'events', `[${events.join(',')}]`, 'trace', traceId];
  const args = [role, token, '4000', ...flat(checks), ...flat(writes), '1', ...entry];
  args.push('8192', String(shard), 'rivera:log');
  const keys = names.map((name) => shardKey(shard, name));
  const [isDone, reason, detail] = await redis.riveraCommit(keys.length, keys, args);
  if (isDone !== 1) throw new Error(`The commit was refused: ${reason} ${detail}`);
}

async function desire(request) {
  const { processGuid, domain } = request;
  const split = splitDesiredLRP(request);
  const info = JSON.stringify(tagged(split.schedulingInfo, 0));
  const run = JSON.stringify(tagged(split.runInfo, 0));
  const presence = 'ORDINARY';
  const since = Date.now();
  const actual = JSON.stringify(
    tagged({ processGuid, index: 0, presence, domain, state: 'UNCLAIMED', since }, 0),
  );
  const id = `${processGuid}/0/ORDINARY`;
  await commit(shardOf(processGuid), {
    checks: [
      ['versions', 'desired', processGuid, ''],
      ['versions', 'run', processGuid, ''],
      ['versions', 'actual', id, ''],
      ['count', 'ids:actual', `${processGuid}/`, '0'],
    ],
    writes: [
      ['HSET', 'desired', processGuid, `${epoch}:0 ${info}`],
      ['ZADD', 'ids:desired', '0', processGuid],
      ['HSET', 'run', processGuid, `${epoch}:0 ${run}`],
      ['HSET', 'actual', id, `${epoch}:0 ${actual}`],
      ['ZADD', 'ids:actual', '0', id],
      ['ZADD', 'unplaced', String(since), `lrp/${id}`],
      ['ZADD', 'due', String(since), `lrp/${id}`],
    ],
    events: [
      `{"type":"desired_lrp_created","after":${info}}`,
      `{"type":"actual_lrp_created","after":${actual}}`,
    ],
  });
  return `${info.slice(0, -1)},${run.slice(1)}`;
}

async function report({ epoch: token, reports: [{ type, processGuid, instanceGuid, netInfo }] }) {
  const shard = shardOf(processGuid);
  const isClaim = type === 'claim';
  const cell = JSON.parse(halves(await redis.hget('rivera:{cells}:cell', cellId))[1]);
  const ids = ['ORDINARY', 'EVACUATING', 'SUSPECT'].map((presence) => `${processGuid}/0/${presence}`);
  const [[desired], [ordinary], [run]] = await Promise.all([
    redis.hmget(shardKey(shard, 'desired'), processGuid),
    redis.hmget(shardKey(shard, 'actual'), ...ids),
    isClaim ? redis.hmget(shardKey(shard, 'run'), processGuid) : [],
  ]);
  const [version, before] = halves(ordinary);
  const [desiredVersion, info] = halves(desired);
  const actual = JSON.parse(before);
  const change = isClaim
    ? { state: 'CLAIMED', cellId, instanceGuid }
    : { state: 'RUNNING', netInfo, availabilityZone: cell.zone, routable: true };
  const index = actual.modificationTag.index + 1;
  const after = JSON.stringify(tagged({ ...actual, ...change }, index));
  const member = `lrp/${ids[0]}`;
  const moves = isClaim
    ? [
        ['ZREM', 'unplaced', member],
        ['ZREM', 'due', member],
        ['ZADD', 'by-cell', '0', `${cellId}/${member}`],
      ]
    : [];
  await commit(shard, {
    role: `cell:${cellId}`,
    token: String(token),
    checks: [
      ['versions', 'actual', ids[0], version, ids[1], '', ids[2], ''],
      ['versions', 'desired', processGuid, desiredVersion],
      ...(isClaim ? [['versions', 'run', processGuid, halves(run)[0]]] : []),
    ],
    writes: [
      ['HSET', 'actual', ids[0], `${epoch}:${index} ${after}`],
      ...moves,
      ['ZINCRBY', 'cell-versions', '1', cellId],
    ],
    events: [`{"type":"actual_lrp_changed","before":${before},"after":${after}}`],
  });
  if (!isClaim) return '{"results":[{"ok":true}]}';
  return `{"results":[{"ok":true,"desiredLRP":${info.slice(0, -1)},${halves(run)[1].slice(1)}}]}`;
}

/** The cell has registered with `bbs` and begins no new epoch. */
async function answerTo(path, asked) {
  if (path.endsWith('/presence')) return '{"epoch":1}';
  return path.endsWith('/transitions') ? report(asked) : desire(asked);
}

async function serve(request, response, body) {
  if (request.method === 'GET') return response.end();
  const answer = await answerTo(request.url, JSON.parse(body));
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
  return response.end(answer);
}

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () => void serve(request, response, body));
});
// As in `bbs`: the callers' connections wait while others have their turn.
server.keepAliveTimeout = 72_000;
server.listen(Number(port), '127.0.0.1');
