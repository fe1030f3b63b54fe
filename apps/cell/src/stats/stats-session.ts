import type { Garden } from '#rivera/garden';
import { notFound } from '#rivera/models';
import type { Session } from '#rivera/session';
import type { RequestOf } from '../link/link.js';
import type { Instances } from '../exec/instances.js';

export function statsSession(_instances: Instances, _garden: Garden) {
  return async (_session: Session, { guids = [] }: RequestOf<'stats'>): Promise<void> => {
    await Promise.resolve();
    throw notFound('stats', guids.join(', '));
  };
}
