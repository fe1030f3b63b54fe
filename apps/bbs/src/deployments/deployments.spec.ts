import type { DeploymentRequest } from '#rivera/models';
import { type BbsHarness, startBbs } from '#test/bbs.js';
import { aDesiredLRP } from '#test/builders.js';

let bbs: BbsHarness;
beforeAll(async () => {
  bbs = await startBbs();
});
afterAll(() => bbs.stop());

let names = 0;
/** An LRP of four instances, and a request to replace it. */
async function replaceable(change: Partial<DeploymentRequest> = {}): Promise<DeploymentRequest> {
  names += 1;
  const processGuid = `app-${names}`;
  await bbs.client().desireLRP(aDesiredLRP({ processGuid, instances: 4 }));
  return {
    processGuid,
    definition: aDesiredLRP({ processGuid: `${processGuid}-next`, instances: 5 }),
    ...change,
  };
}
const post = (request: object, token = bbs.as()) => token.post('/v1/deployments').send(request);
const steer = (processGuid: string, verb: string) => bbs.as().post(`/v1/deployments/${processGuid}/${verb}`);

describe('a deployment', () => {
  it('begins with a new LRP without instances, and says what was not said', async () => {
    const request = await replaceable({ maxInFlight: 2 });
    const { body } = await post(request).expect(201);
    expect(body).toMatchObject({
      processGuid: request.processGuid,
      newProcessGuid: request.definition.processGuid,
      state: 'ROLLING',
      oldInstances: 4,
      newInstances: 5,
      policy: {
        maxInFlight: 2,
        maxUnavailable: 0,
        minHealthyMs: 10_000,
        maxCrashes: 3,
        progressTimeoutMs: 600_000,
      },
      healthy: 0,
    });
    expect(await bbs.client().getDesiredLRP(request.definition.processGuid)).toMatchObject({ instances: 0 });
    expect(await bbs.client().getDeployment(request.processGuid)).toEqual(body);
  });

  it('said again is the same one', async () => {
    const request = await replaceable();
    const first = (await post(request).expect(201)).body as object;
    expect((await post(request).expect(201)).body).toEqual(first);
  });

  it('is paused, resumed and cancelled', async () => {
    const { processGuid, ...rest } = await replaceable();
    await post({ processGuid, ...rest }).expect(201);
    for (const [verb, state] of [
      ['pause', 'PAUSED'],
      ['pause', 'PAUSED'],
      ['resume', 'ROLLING'],
      ['cancel', 'ROLLING_BACK'],
    ]) {
      expect((await steer(processGuid, verb!).expect(200)).body).toMatchObject({ state });
    }
    expect((await steer(processGuid, 'resume').expect(409)).body).toMatchObject({
      code: 'invalid-state-transition',
    });
  });

  it('is listed, by state', async () => {
    const { processGuid, ...rest } = await replaceable();
    await post({ processGuid, ...rest }).expect(201);
    await steer(processGuid, 'pause').expect(200);
    const { body } = await bbs.as('lrps:read').get('/v1/deployments?state=PAUSED').expect(200);
    expect((body as { items: object[] }).items).toMatchObject([{ processGuid, state: 'PAUSED' }]);
    const all: string[] = [];
    for await (const one of bbs.client().deployments()) all.push(one.processGuid);
    expect(all).toContain(processGuid);
    expect(all.length).toBeGreaterThan(1);
  });
});

describe('refused is', () => {
  it('what is not there, or not there for this token', async () => {
    await post({ processGuid: 'nobody', definition: aDesiredLRP() }).expect(404);
    await steer('nobody', 'pause').expect(404);
    const request = await replaceable();
    await post(request).expect(201);
    const stranger = bbs.client({ token: bbs.token({ domains: ['other'] }) });
    await expect(stranger.getDeployment(request.processGuid)).rejects.toMatchObject({ code: 'not-found' });
    await expect(stranger.cancelDeployment(request.processGuid)).rejects.toMatchObject({ code: 'not-found' });
    await expect(stranger.startDeployment(request)).rejects.toMatchObject({ code: 'forbidden' });
  });

  it.each([
    [
      'the same process guid',
      (r: DeploymentRequest) => ({ ...r, definition: { ...r.definition, processGuid: r.processGuid } }),
      'definition.processGuid',
      'isNew',
    ],
    [
      'another domain',
      (r: DeploymentRequest) => ({ ...r, definition: { ...r.definition, domain: 'x' } }),
      'definition.domain',
      'isSameDomain',
    ],
    [
      'a definition that is none',
      (r: DeploymentRequest) => ({ ...r, definition: { ...r.definition, instances: -1 } }),
      'definition.instances',
      'isInteger',
    ],
    ['nothing in flight', (r: DeploymentRequest) => ({ ...r, maxInFlight: 0 }), 'maxInFlight', 'isInteger'],
    ['what nobody knows', (r: DeploymentRequest) => ({ ...r, speed: 9 }), 'speed', 'isKnownField'],
  ])('%s', async (_what, changed, field, rule) => {
    const { body } = await post(changed(await replaceable())).expect(400);
    expect((body as { fields: object[] }).fields).toContainEqual(expect.objectContaining({ field, rule }));
  });

  it('a guid that is taken; nothing is begun then', async () => {
    const request = await replaceable();
    await bbs.client().desireLRP(aDesiredLRP({ processGuid: request.definition.processGuid }));
    expect((await post(request).expect(409)).body).toMatchObject({ code: 'already-exists' });
    await bbs.as().get(`/v1/deployments/${request.processGuid}`).expect(404);
  });

  it('a second one at the same time: of the old LRP, or of the new one', async () => {
    const request = await replaceable();
    await post(request).expect(201);
    const { processGuid, definition } = request;
    const another = aDesiredLRP({ processGuid: `${processGuid}-other` });
    for (const guid of [processGuid, definition.processGuid]) {
      const { body } = await post({ processGuid: guid, definition: another }).expect(409);
      expect(body).toMatchObject({ code: 'conflict' });
    }
  });
});
