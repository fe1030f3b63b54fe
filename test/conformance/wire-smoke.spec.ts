import * as wire from '#rivera/diego-wire';
import { type BbsHarness, startBbs } from '../support/bbs.js';
import { aRealisticDesiredLRP } from '../support/builders.js';
import { messageOf } from '../../apps/bbs/src/diego/mapping/records.js';
import { WIRE_ENV, WireClient, wirePort } from '../support/wire.js';

let bbs: BbsHarness;
let client: WireClient;
beforeAll(async () => {
  bbs = await startBbs({ env: WIRE_ENV });
  client = new WireClient(wirePort(bbs));
});
afterAll(() => bbs.stop());

it('works', async () => {
  expect(await client.call('/v1/ping', undefined, {}, wire.PingResponse)).toMatchObject({ available: true });
  const stream = await client.follow('/v1/events/lrp_instances.r1');
  console.log(stream.head);
  const desiredLrp: wire.DesiredLRP = messageOf('DesiredLRP', aRealisticDesiredLRP({ processGuid: 'pg' }));
  await client.ok(
    '/v1/desired_lrp/desire.r2',
    wire.DesireLRPRequest,
    { desiredLrp },
    wire.DesiredLRPLifecycleResponse,
  );
  console.log((await stream.events(4)).map((e) => [e.id, e.type]));
  const got = await client.ok(
    '/v1/desired_lrps/get_by_process_guid.r3',
    wire.DesiredLRPByProcessGuidRequest,
    { processGuid: 'pg' },
    wire.DesiredLRPResponse,
  );
  console.log(JSON.stringify(got).slice(0, 3000));
  const t = 500;
  const bytes = wire.DesiredLRP.encode(desiredLrp);
  const json = JSON.stringify(aRealisticDesiredLRP());
  const { recordOf } = await import('../../apps/bbs/src/diego/mapping/records.js');
  const time = (name: string, f: () => unknown) => {
    for (let i = 0; i < 200; i++) f();
    const b = process.cpuUsage();
    for (let i = 0; i < t; i++) f();
    const u = process.cpuUsage(b);
    console.log(name, (u.user + u.system) / t, 'us');
  };
  time('decode', () => wire.DesiredLRP.decode(bytes));
  const dec = wire.DesiredLRP.decode(bytes);
  time('recordOf', () => recordOf('DesiredLRP', dec));
  const rec = recordOf('DesiredLRP', dec);
  time('messageOf', () => messageOf('DesiredLRP', rec));
  time('encode', () => wire.DesiredLRP.encode(desiredLrp));
  time('JSON.parse', () => JSON.parse(json));
  const p = JSON.parse(json);
  time('JSON.stringify', () => JSON.stringify(p));
  console.log(bytes.length, json.length);
});
