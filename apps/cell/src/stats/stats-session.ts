import type { ActualLRPKey, ContainerStats, HeldResources } from '#rivera/models';
import type { Session } from '#rivera/session';
import type { RequestOf } from '../link/link.js';
import type { Sample, StatsSampler } from './stats-sampler.js';

const MEBIBYTE = 1024 * 1024;

/** What a container of this cell is for, and what it may use. */
export interface Holding {
  /** Instance guid or task guid. */
  guid: string;
  /** Of an instance. */
  key?: ActualLRPKey;
  resources: HeldResources;
}

/** Tells what containers use; see `SessionRequest`. One that does not run uses nothing and is left out. */
export function statsSession(sampler: StatsSampler, holdings: () => Holding[]) {
  return async (session: Session, { guids }: RequestOf<'stats'>): Promise<void> => {
    const wanted = guids && new Set(guids);
    const samples = await sampler.read();
    const stats = holdings().flatMap((holding) => {
      const sample = samples.get(holding.guid);
      const isWanted = wanted?.has(holding.guid) ?? true;
      return sample === undefined || !isWanted ? [] : [statsOf(holding, sample)];
    });
    await session.send({ type: 'opened' });
    await session.sendData('stdout', Buffer.from(JSON.stringify(stats)));
    session.end({ type: 'end' });
  };
}

function statsOf({ guid, key, resources }: Holding, sample: Sample): ContainerStats {
  return {
    guid,
    ...(key && { processGuid: key.processGuid, index: key.index }),
    ...sample,
    memoryLimitBytes: resources.memoryMb * MEBIBYTE,
    diskLimitBytes: resources.diskMb * MEBIBYTE,
  };
}
