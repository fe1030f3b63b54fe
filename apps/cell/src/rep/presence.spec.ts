import { RiveraClient } from '#rivera/client';
import type { CellRegistration, PresenceGrant } from '#rivera/models';
import { RiveraLogger } from '#rivera/platform';
import { REGISTRATION } from '#test/fake-cell.js';
import { StandInApi } from '#test/stand-in-api.js';
import { Presence } from './presence.js';

const logger = RiveraLogger.create({ app: 'cell', destination: { write: () => undefined } });

it('says at once what a grant has changed, and then no sooner than it has to or is told to', async () => {
  const drain = { since: 1, deadline: 2 };
  const grants: PresenceGrant[] = [{ epoch: 7, ttlMs: 3_600_000, drain }];
  const api = await StandInApi.start(() => ({ body: grants[0] }));
  const stopped = new AbortController();
  let isDraining = false;
  const registration = (): CellRegistration => ({ ...REGISTRATION, ...(isDraining && { evacuating: true }) });
  const presence = new Presence({
    client: new RiveraClient({ api: api.url, token: 'x' }),
    cellId: 'cell-1',
    registration,
    onGrant: (grant) => (isDraining = grant.drain !== undefined),
    logger,
    onReplaced: () => undefined,
  });
  const kept = presence.keep(stopped.signal);
  await vi.waitFor(() => expect(api.requests).toHaveLength(2));
  expect(await presence.epoch).toBe(7);
  expect(api.requests.map(({ body }) => body)).toEqual([
    { registration: REGISTRATION },
    { epoch: 7, registration: { ...REGISTRATION, evacuating: true } },
  ]);
  presence.renew();
  await vi.waitFor(() => expect(api.requests).toHaveLength(3));
  stopped.abort();
  await kept;
  expect(api.requests).toHaveLength(3);
  await api.stop();
});
