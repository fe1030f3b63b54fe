import type { RebalanceResult } from '#rivera/models';
import { rivera } from '../../../../test/support/rivera-command.js';
import { StandInApi } from '../../../../test/support/stand-in-api.js';

const before = {
  points: 100,
  largestZoneSkew: 2,
  skewedApps: 1,
  crowdedApps: 1,
  fillDeviation: 0.25,
  missingHoles: 0,
};
const move = { processGuid: 'web', index: 1, from: 'cell-1', to: 'cell-2', gain: 12.345, cost: 1.5 };
const result: RebalanceResult = {
  dryRun: true,
  moves: [{ ...move, reason: 'zone' }],
  started: [],
  before,
  after: { ...before, points: 87.655, largestZoneSkew: 0 },
};

describe('rivera rebalance', () => {
  let api: StandInApi;
  let asked: string;
  beforeEach(async () => {
    api = await StandInApi.start();
  });
  afterEach(() => api.stop());

  const rebalance = async (line: string, answer: RebalanceResult) => {
    api.handler = ({ method, url, body }) => {
      asked = `${method} ${url} ${JSON.stringify(body)}`;
      return { body: answer };
    };
    return rivera(`rebalance ${line}`.trim(), { env: { RIVERA_API: api.url, RIVERA_TOKEN: 'secret' } });
  };

  it('--dry-run says what would be moved', async () => {
    const { code, out } = await rebalance('--dry-run --moves 3', result);
    expect(asked).toBe('POST /v1/rebalance {"dryRun":true,"maxMoves":3}');
    expect(code).toBe(0);
    expect(out).toMatch(/^web +1 +cell-1 +cell-2 +12\.35 +1\.50 +evens out its zones$/m);
    expect(out).toContain('1 instance would be moved; nothing was.');
    expect(out).toMatch(/^NOW +2 +1 +1 +0\.2500 +100\.0$/m);
    expect(out).toMatch(/^THEN +0 /m);
  });

  it('says what is being moved, and what came too late', async () => {
    const started = [{ processGuid: 'web', index: 1 }];
    const moves = [...result.moves, { ...move, processGuid: 'late', reason: 'fill' as const }];
    const { out } = await rebalance('', { ...result, dryRun: false, moves, started });
    expect(asked).toBe('POST /v1/rebalance {}');
    expect(out).toMatch(/^web .* yes$/m);
    expect(out).toMatch(/^late .* no$/m);
    expect(out).toContain('1 instance being moved.');
  });

  it('says when there is nothing to do, or all of it as JSON', async () => {
    const nothing = { ...result, moves: [], after: before };
    expect((await rebalance('', nothing)).out).toContain('Nothing is worth moving.');
    expect(JSON.parse((await rebalance('--json', nothing)).out)).toEqual(nothing);
  });
});
