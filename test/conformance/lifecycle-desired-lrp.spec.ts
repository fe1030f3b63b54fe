/** Diego BBS reference §4.2–4.7: what clients may do to desired LRPs and domains, and what is told about it. */
import {
  crash,
  desire,
  effectsOf,
  eventsOf,
  isFresh,
  type NewDesiredLRP,
  type ProcessSnapshot,
  removeDesired,
  type RunRecord,
  update,
  upsertDomain,
} from '#rivera/lifecycle';
import { type DesiredLRPSchedulingInfo, type Domain, splitDesiredLRP } from '#rivera/models';
import { aDesiredLRP, aTag } from '../support/builders.js';
import {
  MINE,
  NOW,
  OTHER,
  answerOf,
  at,
  claimed,
  crashed,
  desiredInstances,
  evacuating,
  only,
  outline,
  processWith,
  running,
  slotWith,
  suspect,
  unclaimed,
  waitsForCell,
} from './lifecycle-fixtures.js';

const wanted = (instances: number): NewDesiredLRP =>
  splitDesiredLRP(aDesiredLRP({ processGuid: 'my-app', instances, memoryMb: 32, diskMb: 16 }));
const aRun = (fields: Partial<RunRecord> = {}): RunRecord => ({
  ...splitDesiredLRP(aDesiredLRP()).runInfo,
  processGuid: 'my-app',
  modificationTag: aTag(),
  ...fields,
});
const typesOf = (transition: Parameters<typeof eventsOf>[0]) => eventsOf(transition).map(({ type }) => type);

describe('4.2 Desire', () => {
  it('4.2.1 gives the record a fresh tag, whatever was sent, and refuses a guid that is taken', () => {
    const sent = {
      ...wanted(0),
      schedulingInfo: { ...wanted(0).schedulingInfo, modificationTag: aTag({ index: 7 }) },
    };
    const [desired, run] = desire(processWith([]), sent, at());
    expect(desired?.after).toMatchObject({
      processGuid: 'my-app',
      modificationTag: { epoch: 'new-1', index: 0 },
    });
    expect(run?.after).toMatchObject({
      processGuid: 'my-app',
      modificationTag: { epoch: 'new-1', index: 0 },
    });
    expect(answerOf(() => desire(processWith([], desiredInstances(1)), wanted(1), at()))).toBe(
      'already-exists',
    );
  });

  it('4.2.3 makes an UNCLAIMED instance of each index, each with an epoch of its own', () => {
    const transition = desire(processWith([]), wanted(3), at());
    expect(outline(transition)).toEqual([
      '+desired',
      '+run',
      '+0/ORDINARY/UNCLAIMED',
      '+1/ORDINARY/UNCLAIMED',
      '+2/ORDINARY/UNCLAIMED',
    ]);
    expect(transition[3]?.after).toEqual({
      ...unclaimed({ index: 1, domain: 'some-domain', since: NOW, resources: { memoryMb: 32, diskMb: 16 } }),
      modificationTag: { epoch: 'new-3', index: 0 },
    });
  });

  it('4.2.2, 4.2.4 tells desired created first, and waits for the auctioneer', () => {
    const transition = desire(processWith([]), wanted(2), at());
    expect(typesOf(transition)).toEqual(['desired_lrp_created', 'actual_lrp_created', 'actual_lrp_created']);
    expect(waitsForCell(transition)).toBe(true);
    expect(waitsForCell(desire(processWith([]), wanted(0), at()))).toBe(false);
  });

  it('keeps what a removed predecessor still runs', () => {
    const stopping = running({ index: 1, stopping: true });
    const transition = desire(processWith([stopping]), wanted(2), at());
    expect(outline(transition)).toEqual(['+desired', '+run', '+0/ORDINARY/UNCLAIMED']);
  });
});

describe('4.3 Update', () => {
  const before = desiredInstances(2, {
    routes: { a: 1 },
    annotation: 'old',
    metricTags: { a: { static: 'b' } },
  });

  it('of nothing is not-found', () => {
    expect(answerOf(() => update(processWith([]), { instances: 1 }, at()))).toBe('not-found');
  });

  it('raises the tag by one even when it changes nothing, and leaves absent fields alone', () => {
    const rows = [unclaimed(), unclaimed({ index: 1 })];
    const after = only<DesiredLRPSchedulingInfo>(update(processWith(rows, before), {}, at()));
    expect(after).toEqual({ ...before, modificationTag: { epoch: before.modificationTag.epoch, index: 1 } });
  });

  it('replaces routes and metric tags as a whole', () => {
    const rows = [unclaimed(), unclaimed({ index: 1 })];
    const wantedUpdate = { routes: { b: 2 }, metricTags: {}, annotation: 'new' };
    expect(only(update(processWith(rows, before), wantedUpdate, at()))).toMatchObject({
      routes: { b: 2 },
      metricTags: {},
      annotation: 'new',
    });
  });

  it('tells running instances that stay their new metric tags and internal routes, in the same commit', () => {
    const rows = [running(), running({ index: 1, ...OTHER }), claimed({ index: 2 }), running({ index: 3 })];
    const process = processWith([...rows, evacuating(OTHER)], desiredInstances(4));
    const transition = update(process, { instances: 3, metricTags: { at: { dynamic: 'INDEX' } } }, at());
    expect(outline(transition)).toEqual([
      '+3/ORDINARY/RUNNING',
      '+0/ORDINARY/RUNNING',
      '+1/ORDINARY/RUNNING',
      '+0/EVACUATING/RUNNING',
      '+desired',
    ]);
    expect(transition[2]?.after).toEqual({
      ...rows[1],
      metricTags: { at: '1' },
      modificationTag: { epoch: rows[1]!.modificationTag.epoch, index: 1 },
    });
    const routes = { 'internal-router': [{ hostname: 'a.internal' }, { port: 1 }, null] };
    const routed = update(processWith([running()], desiredInstances(1)), { routes }, at());
    expect(routed[0]?.after).toMatchObject({ internalRoutes: [{ hostname: 'a.internal' }] });
  });

  it('12.3 routes of other routers concern no instance', () => {
    const process = processWith([running()], desiredInstances(1));
    expect(outline(update(process, { routes: { 'cf-router': [{ port: 1 }] } }, at()))).toEqual(['+desired']);
  });

  it('keeps image credentials in the run half, under a tag of its own', () => {
    const run = aRun();
    const process: ProcessSnapshot = { ...processWith([], desiredInstances(0)), run };
    const transition = update(process, { imageUsername: 'user', imagePassword: 'secret' }, at());
    expect(outline(transition)).toEqual(['+desired', '+run']);
    expect(transition[0]?.after).not.toHaveProperty('imagePassword');
    expect(transition[1]?.after).toEqual({
      ...run,
      imageUsername: 'user',
      imagePassword: 'secret',
      modificationTag: { epoch: run.modificationTag.epoch, index: 1 },
    });
  });

  it('with a tag that is no longer current is a failed precondition', () => {
    const tag = before.modificationTag;
    const process = processWith([unclaimed(), unclaimed({ index: 1 })], before);
    expect(answerOf(() => update(process, {}, at(), tag))).toBe('ok');
    expect(answerOf(() => update(process, {}, at(), { epoch: tag.epoch, index: tag.index + 1 }))).toBe(
      'precondition-failed',
    );
    expect(answerOf(() => update(process, {}, at(), { epoch: 'another', index: tag.index }))).toBe(
      'precondition-failed',
    );
  });

  it('scales up by the indices that are missing', () => {
    const process = processWith([running(), running({ index: 1 })], before);
    const transition = update(process, { instances: 4 }, at());
    expect(outline(transition)).toEqual(['+2/ORDINARY/UNCLAIMED', '+3/ORDINARY/UNCLAIMED', '+desired']);
  });

  it('12.3 goes by indices, not by their count', () => {
    const process = processWith([running(), running({ index: 5 })], desiredInstances(1));
    const transition = update(process, { instances: 2 }, at());
    expect(outline(transition)).toEqual(['+1/ORDINARY/UNCLAIMED', '+5/ORDINARY/RUNNING', '+desired']);
    expect(transition[1]?.after).toMatchObject({ index: 5, stopping: true });
  });

  it('scales down from the highest index: what has no container goes, the rest is asked to stop', () => {
    const rows = [
      running(),
      unclaimed({ index: 1 }),
      crashed({ index: 2 }),
      claimed({ ...OTHER, index: 3 }),
      running({ ...MINE, index: 4, instanceGuid: 'fourth' }),
      evacuating({ index: 4, instanceGuid: 'leaving' }),
      suspect({ index: 4, instanceGuid: 'lost' }),
    ];
    const transition = update(processWith(rows, desiredInstances(5)), { instances: 1 }, at());
    expect(outline(transition)).toEqual([
      '-1/ORDINARY/UNCLAIMED',
      '-2/ORDINARY/CRASHED',
      '+3/ORDINARY/CLAIMED',
      '+4/ORDINARY/RUNNING',
      '-4/SUSPECT/RUNNING',
      '+desired',
    ]);
    expect(transition[2]?.after).toMatchObject({ stopping: true, state: 'CLAIMED', ...OTHER });
    expect(transition[3]?.after).toMatchObject({ stopping: true, state: 'RUNNING', instanceGuid: 'fourth' });
    expect(effectsOf(transition).stops).toEqual(
      new Map([
        ['cell-2', { instanceGuids: ['other'], taskGuids: [] }],
        ['cell-1', { instanceGuids: ['fourth', 'lost'], taskGuids: [] }],
      ]),
    );
  });

  it('4.7 tells what became of the instances first, desired changed last', () => {
    const up = update(processWith([unclaimed()], desiredInstances(1)), { instances: 2 }, at());
    expect(typesOf(up)).toEqual(['actual_lrp_created', 'desired_lrp_changed']);
    const down = update(processWith([unclaimed()], desiredInstances(1)), { instances: 0 }, at());
    expect(typesOf(down)).toEqual(['actual_lrp_removed', 'desired_lrp_changed']);
  });
});

describe('4.4 Remove desired', () => {
  it('of nothing is not-found', () => {
    expect(answerOf(() => removeDesired(processWith([running()])))).toBe('not-found');
  });

  it('takes both halves and stops from index 0; evacuating records are their cell’s business', () => {
    const process = {
      ...processWith([unclaimed(), running({ index: 1 }), evacuating()], desiredInstances(2)),
      run: aRun(),
    };
    const transition = removeDesired(process);
    expect(outline(transition)).toEqual(['-desired', '-run', '-0/ORDINARY/UNCLAIMED', '+1/ORDINARY/RUNNING']);
    expect(typesOf(transition)).toEqual(['actual_lrp_changed', 'desired_lrp_removed', 'actual_lrp_removed']);
  });

  it('does not ask twice for what is being stopped already', () => {
    const transition = removeDesired(processWith([running({ stopping: true })], desiredInstances(1)));
    expect(outline(transition)).toEqual(['-desired']);
  });
});

describe('4.6 Domains and freshness', () => {
  it.each([
    [undefined, false],
    [{}, true],
    [{ expiresAt: NOW + 1 }, true],
    [{ expiresAt: NOW }, false],
  ])('a domain %j is fresh: %s', (fields, fresh) => {
    const domain = fields && { domain: 'd', modificationTag: aTag(), ...fields };
    expect(isFresh(domain, NOW)).toBe(fresh);
  });

  it('a time to live is seconds from now, 0 is for ever', () => {
    expect(only<Domain>(upsertDomain(undefined, 'd', 120, at()))).toEqual({
      domain: 'd',
      expiresAt: NOW + 120_000,
      modificationTag: { epoch: 'new-1', index: 0 },
    });
    const before: Domain = { domain: 'd', expiresAt: NOW - 1, modificationTag: { epoch: 'e', index: 4 } };
    expect(only<Domain>(upsertDomain(before, 'd', 0, at()))).toEqual({
      domain: 'd',
      modificationTag: { epoch: 'e', index: 5 },
    });
  });

  it('domains are not told about', () => {
    expect(eventsOf(upsertDomain(undefined, 'd', 120, at()))).toEqual([]);
  });
});

describe('4.7 order of events', () => {
  it('crashes first, then what is RUNNING now, then the rest in the order of the changes', () => {
    const died = crash(slotWith({ ordinary: claimed({ crashCount: 0 }) }), MINE, 'r', at());
    const ran = { kind: 'actual' as const, after: running({ index: 3, instanceGuid: 'third' }) };
    const gone = { kind: 'actual' as const, before: unclaimed({ index: 2 }) };
    const desired = { kind: 'desired' as const, before: desiredInstances(4), after: desiredInstances(3) };
    expect(typesOf([gone, desired, ran, ...died])).toEqual([
      'actual_lrp_crashed',
      'actual_lrp_created',
      'actual_lrp_removed',
      'desired_lrp_changed',
      'actual_lrp_created',
      'actual_lrp_removed',
    ]);
    expect(eventsOf([gone, desired, ran, ...died])[1]).toMatchObject({ after: { index: 3 } });
  });
});
