import type { Capacity, PlacementExplanation, PlacementPlan } from '#rivera/models';
import { NOW, rivera } from '../../../../test/support/rivera-command.js';
import { StandInApi } from '../../../../test/support/stand-in-api.js';

const candidates = {
  cells: 12,
  suitable: 0,
  mismatched: { 'placement-tags': 3 },
  short: { memory: 9 },
  barred: {},
};
const plan: PlacementPlan = {
  placements: [{ processGuid: 'web', index: 0, cellId: 'cell-1', zone: 'z1' }],
  unplaced: [
    { processGuid: 'web', index: 1, placementError: 'insufficient resources: memory', candidates },
    { taskGuid: 't', placementError: 'found no compatible cell for required rootfs', candidates },
  ],
  tookUs: 1_234,
};
const explanation: PlacementExplanation = {
  processGuid: 'web',
  index: 2,
  placementError: 'refused by 1 cell; first cell cell-9: full',
  refusedBy: ['cell-9'],
  refusal: { cellId: 'cell-9', reason: 'full', since: NOW - 5_000 },
  decision: { decidedAt: NOW - 4_000, tookUs: 12 },
  candidates: { ...candidates, suitable: 1 },
  classes: [
    {
      zone: 'z1',
      rootfses: ['preloaded:base', 'docker:*'],
      placementTags: ['gold'],
      optionalPlacementTags: [],
      volumeDrivers: [],
      ...candidates,
    },
  ],
  best: [{ cellId: 'cell-9', zone: 'z1', score: 0.51234, zoneInstances: 1, instances: 0, refused: true }],
  nearestMisses: [{ cellId: 'cell-3', zone: 'z2', lacks: { memory: 100, disk: 5 } }],
  distrusted: [{ cellId: 'cell-9', refusals: 4, restsUntil: NOW + 3_000 }],
  tookUs: 345,
};

describe('questions about placement', () => {
  let api: StandInApi;
  let asked: string;
  beforeEach(async () => {
    api = await StandInApi.start();
  });
  afterEach(() => api.stop());

  const ask = async (line: string, answer: object, stdin?: string) => {
    api.handler = ({ method, url, body }) => {
      asked = `${method} ${url}${body === undefined ? '' : ` ${JSON.stringify(body)}`}`;
      return { body: answer };
    };
    return rivera(line, { stdin, env: { RIVERA_API: api.url, RIVERA_TOKEN: 'secret' } });
  };

  describe('plan', () => {
    it('says where it would go, and what would not', async () => {
      const { code, out } = await ask('plan -f -', plan, '{"processGuid":"web"}');
      expect(asked).toBe('POST /v1/plan {"lrps":[{"processGuid":"web"}]}');
      expect(code).toBe(0);
      expect(out).toMatch(/^web\/0 +cell-1 +z1$/m);
      expect(out).toMatch(
        /^web\/1 +insufficient resources: memory +12 cells: 3 without the placement tags, 9 short of memory$/m,
      );
      expect(out).toMatch(/^task t +found no compatible cell/m);
      expect(out).toContain('1 would be placed, 2 would not (1.234 ms). Nothing was.');
    });

    it('takes tasks, and lists of both', async () => {
      const files = '[{"processGuid":"web"},{"taskGuid":"t","definition":{}}]';
      await ask('plan -f -', plan, files);
      expect(asked).toBe(
        'POST /v1/plan {"lrps":[{"processGuid":"web"}],"tasks":[{"taskGuid":"t","definition":{}}]}',
      );
    });

    it('--json gives all of it', async () => {
      const { out } = await ask('plan -f - --json', plan, '{}');
      expect(JSON.parse(out)).toEqual(plan);
    });

    it.each(['nonsense', ''])('refuses a file that is no JSON: %j', async (stdin) => {
      expect(await ask('plan -f -', plan, stdin)).toMatchObject({ code: 2 });
    });
  });

  describe('explain', () => {
    it('says why', async () => {
      const { code, out } = await ask('explain web/2', explanation);
      expect(asked).toBe('GET /v1/actual-lrps/web/2/placement');
      expect(code).toBe(0);
      expect(out).toMatch(/^placement error +refused by 1 cell; first cell cell-9: full$/m);
      expect(out).toMatch(/^first refusal +cell-9: full$/m);
      expect(out).toMatch(/^decided +4s ago, in 0\.012 ms$/m);
      expect(out).toMatch(
        /^cells now +12 cells: 1 suitable, 3 without the placement tags, 9 short of memory$/m,
      );
      expect(out).toMatch(/^cell-9 +z1 +1 +0 +0\.5123 +yes$/m);
      expect(out).toMatch(/^cell-3 +z2 +memory 100, disk 5$/m);
      expect(out).toMatch(/^z1 +- +preloaded:base, docker:\* +gold +12 cells/m);
      expect(out).toMatch(/^cell-9 +4 +3s more$/m);
    });

    it('takes index 0 when there is none, and gives JSON', async () => {
      const { out } = await ask('explain web --json', explanation);
      expect(asked).toBe('GET /v1/actual-lrps/web/0/placement');
      expect(JSON.parse(out)).toEqual(explanation);
    });

    it.each(['web/', '/1', 'web/x', 'web/1/2'])('refuses %j', async (slot) => {
      expect(await ask(`explain ${slot}`, explanation)).toMatchObject({ code: 2 });
    });
  });

  describe('capacity', () => {
    const capacity: Capacity = {
      instances: 42,
      zones: [
        { zone: 'z1', cells: 3, instances: 40 },
        { zone: 'z2', pool: 'big', cells: 1, instances: 2 },
      ],
    };

    it('says how many more fit', async () => {
      const { code, out } = await ask(
        'capacity --memory 2G --disk 512 --tag a --tag b --rootfs docker://x',
        capacity,
      );
      expect(asked).toBe(
        'GET /v1/capacity?memoryMb=2048&diskMb=512&rootfs=docker%3A%2F%2Fx&placementTag=a&placementTag=b',
      );
      expect(code).toBe(0);
      expect(out).toMatch(/^z1 +- +3 +40$/m);
      expect(out).toMatch(/^z2 +big +1 +2$/m);
      expect(out).toContain('42 more would fit.');
    });

    it('needs both sizes, and gives JSON', async () => {
      expect(await ask('capacity --memory 64', capacity)).toMatchObject({ code: 2 });
      expect(JSON.parse((await ask('capacity --memory 64 --disk 64 --json', capacity)).out)).toEqual(
        capacity,
      );
    });
  });
});
